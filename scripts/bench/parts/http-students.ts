/** Students with a session of their own each, who press Reserve at the same moment, over connections that are kept open. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { HubClient } from '../fernlab/hub-client.ts'

const origin = process.env.BENCH_HUB ?? ''
/** Where an answer is not one of these, what came is thrown. */
const taken = [200, 201]

/** Methods of the part `http-students`. */
export function open() {
  const client = new HubClient(origin, { origin })
  const cookies: string[] = []
  const ask = async (cookie: string, method: string, path: string, body?: object) => {
    const { status, text } = await client.ask(method, path, body, { cookie })
    if (taken.includes(status)) return JSON.parse(text) as { id: string }
    throw new LabError({ code: 'bench-refused', kind: 'link', message: `${method} ${path}: ${status} ${text}` })
  }
  return {
    /** Each makes an account by the invitation, and is signed in afterwards. */
    join: async ({ token, students }: { token: string; students: number }) => {
      for (let number = 0; number < students; number++) {
        const who = {
          name: `Student ${number}`,
          email: `student-${number}@bench.example`,
          password: 'a-password-for-all',
        }
        const answer = await fetch(`${origin}/api/v1/join`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin },
          body: JSON.stringify({ token, ...who }),
        })
        const text = await answer.text()
        if (!answer.ok) throw new LabError({ code: 'bench-refused', kind: 'link', message: text })
        cookies.push(
          answer.headers
            .getSetCookie()
            .map((line) => line.split(';')[0])
            .join('; '),
        )
      }
    },
    /** How long each waited for the answer; then all give their places back. */
    reserve: async ({ lab }: { lab: string }) => {
      // Opens the connections, and what is kept at hand of a person who is signed in.
      await Promise.all(cookies.map((cookie) => ask(cookie, 'GET', '/api/v1/me')))
      const timesMs: number[] = []
      const sessions = await Promise.all(
        cookies.map(async (cookie) => {
          const startedAt = performance.now()
          const { id } = await ask(cookie, 'POST', '/api/v1/sessions', { lab })
          timesMs.push(performance.now() - startedAt)
          return { id, cookie }
        }),
      )
      await Promise.all(sessions.map(({ id, cookie }) => ask(cookie, 'POST', `/api/v1/sessions/${id}/finish`)))
      return { timesMs }
    },
  }
}
