/** What kind of work a function of workerd does, by its name. The first that fits. */
const kinds: readonly (readonly [kind: string, names: RegExp])[] = [
  [
    "garbage collection",
    /cppgc|Sweep|Marking|Scaveng|Evacuat|TracedHandles|GlobalHandles|CppgcShim|Ephemeron|v8::internal::Heap::/,
  ],
  ["memory", /tcmalloc|operator (new|delete)|LowLevelAlloc|HeapArrayDisposer|^(malloc|free|calloc)/],
  ["our JavaScript, compiled", /^compiled JavaScript$/],
  ["V8's compilers", /v8::internal::(compiler|maglev|baseline|interpreter)::/],
  ["V8: strings, calls, promises", /v8::|^Builtins_/],
  ["workerd's APIs", /workerd::/],
  ["HTTP", /hyper|http::|httparse|tokio|kj::.*Http/],
  ["kj: events, streams", /kj::/],
];

/** Kinds in the order in which they are shown. */
export const kindNames: readonly string[] = [...kinds.map(([kind]) => kind), "other"];

/** One of `kindNames`. */
export function kindOf(name: string): string {
  return kinds.find(([, names]) => names.test(name))?.[0] ?? "other";
}
