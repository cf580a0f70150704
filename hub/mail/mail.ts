/** Letters to people, over the site's mail server. */
import { rootCertificates } from 'node:tls'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createTransport } from 'nodemailer'

export interface Letter {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Of a letter that may have to be handed over again. */
  readonly messageId?: string
}

export interface Mail {
  /** False where the site has no mail server. */
  readonly configured: boolean
  /** Resolves when the mail server has taken the letter; rejects with `mail-failed`. */
  send(letter: Letter): Promise<void>
  close(): void
}

const patienceMs = 20_000

/**
 * Mail by `smtp://user:password@host:port` or `smtps://…`; `?from=lab@school.example` names the sender, else the user
 * or `fernlab@host` does. A password goes over TLS alone, to a server whose certificate holds: of an authority that is
 * well known, or of `ca`, PEM. Without an address nothing can be sent.
 */
export function createMail({ smtpUrl, ca }: { smtpUrl: string | undefined; ca?: string | undefined }): Mail {
  if (smtpUrl === undefined) {
    return {
      configured: false,
      send: async () => {
        throw new LabError({ code: 'mail-failed', kind: 'configuration', message: 'the site has no mail server' })
      },
      close: () => {},
    }
  }
  const url = readAddress(smtpUrl)
  const user = decodeURIComponent(url.username)
  const from = url.searchParams.get('from') ?? (user.includes('@') ? user : `fernlab@${url.hostname}`)
  const secure = url.protocol === 'smtps:'
  const transport = createTransport({
    host: url.hostname,
    port: Number(url.port || (secure ? 465 : 587)),
    secure,
    requireTLS: user !== '',
    ...(ca === undefined ? {} : { tls: { ca: [...rootCertificates, ca] } }),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
  })
  return {
    configured: true,
    send: async (letter) => {
      try {
        await transport.sendMail({ from, ...letter })
      } catch (cause) {
        const said = cause instanceof Error ? cause.message : String(cause)
        // Mail servers repeat whom they refuse; logs name nobody.
        const detail = said.replaceAll(letter.to, 'the address')
        throw new LabError({
          code: 'mail-failed',
          kind: 'configuration',
          retry: 'later',
          message: `the mail server ${url.hostname} did not take a letter: ${detail}`,
          cause,
        })
      }
    },
    close: () => transport.close(),
  }
}

function readAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && (url.protocol === 'smtp:' || url.protocol === 'smtps:') && url.hostname !== '') return url
  throw new LabError({
    code: 'setting-invalid',
    kind: 'configuration',
    message: 'FERNLAB_SMTP_URL must be smtp://user:password@host:port or smtps://…',
  })
}
