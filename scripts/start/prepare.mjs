import { fileURLToPath } from 'node:url'
import { buildStale } from '../build/build-stale.mjs'
import { installPackages } from '../install/install.mjs'
import { nodeVersionProblem } from '../install/node-version.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Sees to the right Node, the packages and the compiled code; returns false, having said why, when one cannot be had. */
export async function prepare({ build = true } = {}) {
  const problem = nodeVersionProblem(process.versions.node)
  if (problem !== undefined) process.stderr.write(`${problem}\n`)
  return problem === undefined && installPackages(root) && (!build || (await buildStale(root)))
}
