/** Server-sent events (HTML Living Standard, 9.2), from their lines. */
export interface ServerEvent {
  readonly name: string
  readonly data: string
  readonly id: string | undefined
}

/** Takes line after line, and gives the event that one ends, if it ends one. */
export function serverEvents(): (line: string) => ServerEvent | undefined {
  let name = 'message'
  let data: string[] = []
  let id: string | undefined
  return (text) => {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    if (line === '') {
      const event = data.length === 0 ? undefined : { name, data: data.join('\n'), id }
      name = 'message'
      data = []
      id = undefined
      return event
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    else if (field === 'data') data.push(value)
    else if (field === 'id') id = value
    return undefined
  }
}
