/** Regular expressions that stop other engines, and ones put together at random; texts that they are slow for. */
import fc from "fast-check";

/** Known to be slow or huge somewhere: nested and overlapping quantifiers, counted ones, alternatives, classes of Unicode. */
const classics = [
  ...wordsOf(String.raw`(a+)+ (a*)*b (a|a)*b (a|aa)+b (.*a){20} (.*)*x ([a-z]+)*[0-9] (?:a?){30}a{30} a*a*a*a*a*b
    (x+x+)+y ^(([a-z])+.)+[A-Z]([a-z])+$ (\w+\s?)*! ([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}
    (?:(?:a{10}){10}){10} (?:(?:a{10}){10}){11} ((a{0,100}){0,100}){0,100} a{1000} a{1001} (a{1,1000})*
    (?:a|b|ab)*(?:ba|a)*b \pL*\pN*\p{Greek}+ [\p{L}--a] [[:alpha:]]*[^[:alpha:]] \p{Any}*
    (?=a)a (?!a)a (?<=a)a (a)\1 \k<n> (?<n>a)(?<n>b) (?>a+) a++ (?R) (?(1)a|b) \C
    (?:a?){1000} (?:a*){1000} (?:\b\B|a){500}
    \u0041 \x{10ffff} \x{110000} \Q(((\E* [a-\d] [z-a] [] [^] (?i-s:.) \ud800`),
  ...["(?i)(k|K|\u212a)*s", "\ud800", "[\ud800-\udfff]", "(".repeat(900), "(".repeat(500) + ")".repeat(500)],
  ...["[".repeat(900), "|".repeat(1_000), `${"(?:".repeat(300)}a${")*".repeat(300)}`, "x*".repeat(500)],
  ...[`(?:(?:.|${"|".repeat(900)}){1000})*`, `(${"a|".repeat(400)}b)*`],
];
const tokens = [
  " ",
  "\n",
  ...wordsOf(String.raw`a b k 0 _ é ſ 😀 . ^ $ | - ( ) (?: (?i) (?s) (?m) (?P<n> * + ? *? {2} {0,2} {1,} {0} {30} {200}
    {1000} {1001} [ab] [^a] [a-k] [[:alpha:]] [\d_] [ ] \d \W \s \b \B \pL \p{Lu} \x41 \1 \ \Qa.\E (?= (a|b)* (a+)+`),
];

function wordsOf(text: string): string[] {
  return text.split(/\s+/);
}

const put = fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));
/** A classic, alone or in something. */
const embedded = fc
  .tuple(
    fc.constantFrom(...classics),
    fc.constantFrom("", "(", "a|", "(?i)", "x*"),
    fc.constantFrom("", ")*", "|b", "{2,30}", "$"),
  )
  .map(([classic, before, after]) => before + classic + after);

/** What may stand in a document, up to its length. */
export const patterns = fc
  .oneof({ arbitrary: put, weight: 14 }, { arbitrary: embedded, weight: 1 })
  .map((source) => source.slice(0, 1_024));

const characters = [..."abkKsSxyZ019_ \n.-!@é\u017f\u212aΩ😀", "\ud800"];
const short = fc.array(fc.constantFrom(...characters), { maxLength: 6 }).map((parts) => parts.join(""));
/** One character many times, and an end that spoils the match. */
const long = fc
  .tuple(
    fc.constantFrom("a", "ab", "x", "aab", "k", " ", "😀"),
    fc.constantFrom(20, 40, 200),
    fc.constantFrom("", "!", "b"),
  )
  .map(([part, times, end]) => part.repeat(times) + end);

/** Texts for one expression. */
export const texts = fc.array(fc.oneof({ arbitrary: short, weight: 4 }, { arbitrary: long, weight: 1 }), {
  minLength: 3,
  maxLength: 3,
});
