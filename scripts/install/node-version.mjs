/** One line that refuses this Node, or undefined when it will do. Mirrors "engines" in package.json. */
export function nodeVersionProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const newEnough = major > 20 || (major === 20 && minor >= 19)
  const oldEnough = major < 26 || (major === 26 && minor < 4)
  if (newEnough && oldEnough) return undefined
  return `Node ${version} will not do: Fernlab needs Node 20.19 or later, and before 26.4 (where serial ports stall)`
}
