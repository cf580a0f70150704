/** Loaded before files with property tests: `npm test` tries the same cases each time; `FERNLAB_SEED=random` (and `--long`) tries others. */
import fc from 'fast-check'

const asked = process.env.FERNLAB_SEED
if (asked !== 'random') fc.configureGlobal({ seed: asked === undefined ? 1 : Number(asked) })
