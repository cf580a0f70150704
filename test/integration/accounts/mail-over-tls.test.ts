/** Mail servers as sites have them: with a user name, a password and TLS, at once or by STARTTLS. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMail } from '@fernlab/hub/mail/mail'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('letters over a mail server with a password', { timeoutMs: 30_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-mail-'))
const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
const password = 'p@ss/word'
const letter = { to: 'bo@school.example', subject: 'Hello', text: 'Hello Bo' }

test.before(() => {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const command = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...command, ...subject], { stdio: 'ignore' })
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A mail server that takes letters of one user; what came, whether it came over TLS, and what was tried. */
async function mailServer(options: SMTPServerOptions) {
  const taken: { readonly secure: boolean; readonly user: string | undefined; readonly text: string }[] = []
  const tried: string[] = []
  const server = new SMTPServer({
    key: readFileSync(key),
    cert: readFileSync(certificate),
    allowInsecureAuth: true,
    ...options,
    onAuth: ({ username = '', password: given = '' }, _session, done) => {
      tried.push(given)
      if (username === 'lab' && given === password) done(null, { user: username })
      else done(new Error('535 wrong user name or password'))
    },
    onData: (stream, session, done) => {
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      stream.on('end', () => {
        taken.push({ secure: session.secure, user: session.user as string | undefined, text })
        done()
      })
    },
  })
  // A client that does not trust the certificate breaks off; that is no error of the test.
  server.on('error', () => {})
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port))
  })
  const at = `127.0.0.1:${port}?from=lab@school.example`
  const send = async (url: string, ca?: string) => {
    const mail = createMail({ smtpUrl: url, ca })
    try {
      await mail.send(letter)
      return 'sent'
    } catch (error) {
      return (error as Error).message
    } finally {
      mail.close()
    }
  }
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { taken, tried, at, send, close, user: `lab:${encodeURIComponent(password)}` }
}
const authority = () => readFileSync(certificate, 'utf8')

for (const [how, scheme, options] of [
  ['by STARTTLS', 'smtp', {}],
  ['from the first byte', 'smtps', { secure: true }],
] as const) {
  test(`TLS ${how}: the letter comes, and neither an unknown authority nor a wrong password is taken`, async () => {
    const server = await mailServer(options)
    try {
      const [whole, wrong] = [`${scheme}://${server.user}@${server.at}`, `${scheme}://lab:wrong-one@${server.at}`]
      assert.match(await server.send(whole), /did not take a letter: self-signed certificate/)
      assert.equal(server.tried, [], 'nothing is said to who is not known')
      const refused = await server.send(wrong, authority())
      assert.match(refused, /wrong user name or password/)
      assert.not.match(refused, 'wrong-one')
      assert.is(await server.send(whole, authority()), 'sent')
      const [one, ...more] = server.taken
      assert.equal([one?.secure, one?.user, more], [true, 'lab', []])
      assert.match(one?.text ?? '', /^To: bo@school\.example\r$/m)
    } finally {
      await server.close()
    }
  })
}

test('a server that offers no TLS gets no password', async () => {
  const server = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
  try {
    assert.match(await server.send(`smtp://${server.user}@${server.at}`), /did not take a letter: .*STARTTLS/)
    assert.equal([server.tried, server.taken], [[], []])
  } finally {
    await server.close()
  }
})

test.run()
