/** Which part of a file a request asks for (RFC 9110, section 14): bytes from `from` to before `to`. Pure. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'none' }
  | { readonly kind: 'part'; from: number; to: number }

/**
 * Of one range of bytes; what is no such range, or several, is answered with the whole, as the standard allows. `none`: nothing
 * of the file lies in it. `ifRange` is the tag of which the caller has the rest: of another file the whole is answered.
 */
export function byteRange(
  { range, ifRange }: { readonly range: string | undefined; readonly ifRange: string | undefined },
  file: { readonly bytes: number; readonly tag: string },
): ByteRange {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? '') ?? []
  if (first === '' && last === '') return { kind: 'whole' }
  if (ifRange !== undefined && ifRange !== file.tag) return { kind: 'whole' }
  if (first === '') {
    const from = Math.max(0, file.bytes - Number(last))
    return from < file.bytes ? { kind: 'part', from, to: file.bytes } : { kind: 'none' }
  }
  const from = Number(first)
  if (last !== '' && Number(last) < from) return { kind: 'whole' }
  if (from >= file.bytes) return { kind: 'none' }
  return { kind: 'part', from, to: last === '' ? file.bytes : Math.min(file.bytes, Number(last) + 1) }
}
