/** Searches of fast-check that have no seed of their own try the same in each run; `FC_SEED=2 npm test` tries something else. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 1) });
