/**
 * Which sentence something is that the hub or a node has said, so that who reads it can have it in another language. They
 * say sentences, not codes, since what is said stays in results for longer than any list of codes.
 */

export interface FoundReason<Name extends string> {
  readonly name: Name
  /** By slot; `why` is a sentence itself, `names` are outputs, `time` is when, as ISO 8601. */
  readonly values: Readonly<Record<string, string>>
}

/** A slot of a sentence. */
export const reasonSlot = /\{\{(\w+)\}\}/g

/** Finds which of the sentences something is, and its values; they are tried in their order. */
export function reasonsAmong<Name extends string>(texts: Readonly<Record<Name, string>>) {
  const patterns = Object.entries<string>(texts).map(([name, text]) => {
    const plain = text.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')
    const words = plain.replaceAll('{{time}}', '(?<time>\\S+)').replaceAll(reasonSlot, '(?<$1>.+)')
    return [name as Name, new RegExp(`^${words}$`)] as const
  })
  return (sentence: string): FoundReason<Name> | undefined => {
    for (const [name, pattern] of patterns) {
      const found = pattern.exec(sentence)
      if (found !== null) return { name, values: { ...found.groups } }
    }
    return undefined
  }
}
