import { playCycles } from "./cycles.ts";

const cycles = await playCycles(Number(process.argv[2] ?? 3), 1, (c) => console.log(c));
console.log(cycles.length);
