/** What a token may do, with the name of its words. */
export const scopeWords = {
  read: 'read',
  run: 'run',
  account: 'account',
  builder: 'builder',
  admin: 'admin',
  'mqtt:read': 'mqttRead',
  'mqtt:status': 'mqttStatus',
} as const

/** A scope that a token may have. */
export type Scope = keyof typeof scopeWords

/** True for a scope that we have words for. */
export const isScope = (scope: string): scope is Scope => Object.hasOwn(scopeWords, scope)
