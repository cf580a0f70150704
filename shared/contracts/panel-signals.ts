/** Which signals a panel is about; light, since the page looks at it too. */
interface Shows {
  readonly kind: string
  readonly signal?: string
  readonly signals?: readonly string[]
  readonly trigger?: { readonly signal: string }
}

/** The signals that a widget shows. */
export function shownBy({ signal, signals = [], trigger }: Shows): readonly string[] {
  const own = signal === undefined ? signals : [signal]
  return trigger === undefined ? own : [...own, trigger.signal]
}
