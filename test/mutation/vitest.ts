/**
 * Stands in for `vitest` where the tests of `src/core` run thousands of times in one process: `describe`, `test` and `expect`
 * as far as those tests use them. A function that is not here fails when it is called.
 */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

/** One test, as its file declared it. */
export interface Declared {
  readonly name: string;
  readonly run: () => unknown;
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = chai.expect;
(expect as unknown as { unreachable: (message?: string) => never }).unreachable = (message) => {
  throw new Error(message ?? "not to be reached");
};

let path: string[] = [];
let declared: Declared[] = [];

/** What was declared since the last call. */
export function takeDeclared(): Declared[] {
  const taken = declared;
  [path, declared] = [[], []];
  return taken;
}

type Body = (...row: unknown[]) => unknown;

function declareTest(name: string, run: Body, row: readonly unknown[] = []): void {
  declared.push({ name: [...path, name].join(" > "), run: () => run(...row) });
}

function declareGroup(name: string, body: Body, row: readonly unknown[] = []): void {
  path.push(name);
  body(...row);
  path.pop();
}

/** A row that is a list is the arguments, any other is the one argument. */
function withEach(declare: typeof declareTest) {
  const each =
    (rows: readonly unknown[]) =>
    (name: string, body: Body): void => {
      for (const [index, row] of rows.entries()) declare(`${name} #${index}`, body, Array.isArray(row) ? row : [row]);
    };
  return Object.assign((name: string, body: Body) => declare(name, body), { each });
}

export const test = withEach(declareTest);
export const it = withEach(declareTest);
export const describe = withEach(declareGroup);
