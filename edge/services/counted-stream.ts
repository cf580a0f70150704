/** The same items, at no turn more; `over` is called once the source has ended or is left, at least once. */
export function countedStream(source: AsyncIterable<unknown>, over: () => void): AsyncIterableIterator<unknown> {
  const iterator = source[Symbol.asyncIterator]()
  const counted: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => counted,
    next: () => {
      const next = iterator.next()
      next.then(({ done }) => {
        if (done === true) over()
      }, over)
      return next
    },
    return: async () => {
      over()
      return (await iterator.return?.()) ?? { done: true, value: undefined }
    },
  }
  return counted
}
