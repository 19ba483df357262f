/**
 * What the decisions of the core cost: `npm run bench:micro [-- --json] [-- <text>]` measures the cases whose names hold the
 * text. Figures of two machines, or of a busy one, are not to be compared.
 */
import { balancing } from "./cases/balancing.ts";
import { breaking } from "./cases/breaking.ts";
import { limiting } from "./cases/limiting.ts";
import { reading } from "./cases/reading.ts";
import { routing } from "./cases/routing.ts";
import { traffic } from "./cases/traffic.ts";
import { type Figures, measure } from "./measure.ts";

const collect = globalThis.gc;
if (!collect) throw new Error("run it with node --expose-gc");
const isJson = process.argv.includes("--json");
const wanted = process.argv.slice(2).filter((text) => !text.startsWith("--"));

const all = [...routing(), ...traffic(), ...balancing(), ...limiting(), ...breaking(), ...reading()];
const cases = all.filter(({ name }) => wanted.every((text) => name.includes(text)));
const { ns: emptyNs } = measure({ name: "nothing", run: (index) => index }, collect);
const figures = cases.map((one) => measure(one, collect, emptyNs));

const cells = ({ name, ns, spread, bytes, work }: Figures) => [
  name.padEnd(56),
  ns.toFixed(ns < 100 ? 1 : 0).padStart(9),
  `${(spread * 100).toFixed(0)}%`.padStart(6),
  bytes.toFixed(0).padStart(8),
  (work ?? "").toString().padStart(6),
];
const rows = [["case".padEnd(56), "ns/op".padStart(9), "+-".padStart(6), "B/op".padStart(8), "work".padStart(6)]];
if (isJson) console.log(JSON.stringify(figures, null, 2));
else for (const row of [...rows, ...figures.map(cells)]) console.log(row.join(" "));
