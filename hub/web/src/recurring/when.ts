/** What people usually mean by a cron expression, and back. Pure. */

export const whenKinds = ['hourly', 'daily', 'weekdays', 'weekly', 'own'] as const
export type WhenKind = (typeof whenKinds)[number]

export interface When {
  readonly kind: WhenKind
  /** Time of day, `02:30`; of `hourly` its minutes count alone. */
  readonly at: string
  /** Of `weekly`: 1 is Monday, 7 Sunday. */
  readonly weekday: number
  /** Of `own`: the expression. */
  readonly cron: string
}

export const nightly: When = { kind: 'daily', at: '02:30', weekday: 1, cron: '30 2 * * *' }

/** The expression. */
export function cronOf({ kind, at, weekday, cron }: When): string {
  const [hour = '', minute = ''] = at.split(':').map((part) => String(Number(part)))
  switch (kind) {
    case 'hourly':
      return `${minute} * * * *`
    case 'daily':
      return `${minute} ${hour} * * *`
    case 'weekdays':
      return `${minute} ${hour} * * MON-FRI`
    case 'weekly':
      return `${minute} ${hour} * * ${weekday}`
    case 'own':
      return cron
  }
}

/** How people say the expression; `own` where it is none of the usual. */
export function whenOf(cron: string): When {
  const own: When = { ...nightly, kind: 'own', cron }
  const [, minute, hour, days] = /^(\d{1,2}) (\d{1,2}|\*) \* \* (\*|MON-FRI|[0-7])$/.exec(cron) ?? []
  if (minute === undefined || hour === undefined || days === undefined) return own
  const two = (text: string) => text.padStart(2, '0')
  if (hour === '*') return days === '*' ? { ...own, kind: 'hourly', at: `00:${two(minute)}` } : own
  const at = `${two(hour)}:${two(minute)}`
  if (days === '*') return { ...own, kind: 'daily', at }
  if (days === 'MON-FRI') return { ...own, kind: 'weekdays', at }
  return { ...own, kind: 'weekly', at, weekday: Number(days) || 7 }
}
