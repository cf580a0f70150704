import { SMTPServer } from 'smtp-server'

export interface MailServer {
  /** For `FERNLAB_SMTP_URL`. */
  readonly url: string
  /** Those that came, as they came. */
  readonly letters: string[]
  close(): Promise<void>
}

/** A mail server on a free port that takes every letter. */
export async function startMailServer(): Promise<MailServer> {
  const letters: string[] = []
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
      })
    },
  })
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port))
  })
  return {
    url: `smtp://127.0.0.1:${port}?from=lab@school.example`,
    letters,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
