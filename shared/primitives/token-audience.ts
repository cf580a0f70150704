/** Which node a token of services is for, as it says itself: nobody has checked it. */
export function audienceOf(token: string): string | undefined {
  try {
    const [, body = ''] = token.split('.')
    const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
      letter.charCodeAt(0),
    )
    const { aud } = JSON.parse(new TextDecoder().decode(bytes)) as { aud?: unknown }
    return typeof aud === 'string' ? aud : undefined
  } catch {
    return undefined
  }
}
