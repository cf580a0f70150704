import { SMTPServer } from 'smtp-server'

export interface MailServer {
  /** For `FERNLAB_SMTP_URL`. */
  readonly url: string
  /** Those that came, as they came. */
  readonly letters: string[]
  /** The next letter to this address that nobody has taken yet, its quoted-printable undone; waits for it. */
  letterTo(address: string): Promise<string>
  close(): Promise<void>
}

export const messageIdOf = (letter: string): string | undefined => /^Message-ID: (\S+)/im.exec(letter)?.[1]

/** What a mailbox has of these letters: of the same Message-ID it keeps one. */
export const keptOf = (letters: readonly string[]) => new Set(letters.map(messageIdOf))

/** A mail server on a free port that takes every letter. */
export async function startMailServer(): Promise<MailServer> {
  const letters: string[] = []
  const taken = new Set<string>()
  const waiting = new Set<() => void>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      stream.on('end', () => {
        letters.push(text)
        done()
        for (const look of waiting) look()
      })
    },
  })
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port))
  })
  return {
    url: `smtp://127.0.0.1:${port}?from=lab@school.example`,
    letters,
    letterTo: (address) =>
      new Promise((resolve) => {
        const look = () => {
          const letter = letters.find((one) => !taken.has(one) && one.includes(`To: ${address}\r\n`))
          if (letter === undefined) return
          taken.add(letter)
          waiting.delete(look)
          resolve(letter.replaceAll('=\r\n', '').replaceAll('=3D', '='))
        }
        waiting.add(look)
        look()
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
