/** One line that refuses this Node, or undefined when it will do. */
export function nodeVersionProblem(version: string): string | undefined
