import type { LiveParams, Session } from '@fernlab/shared/contracts/sessions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { Controls } from '../controls.ts'
import type { HubClient } from '../hub-client.ts'
import { untilInterrupted } from '../interrupt.ts'
import { followLive, type LiveNews, type LiveSession, openLive } from '../live-session.ts'
import { mistake, problemLines } from '../problem.ts'
import { commandIn } from '../session-line.ts'
import { linesOfNews, newsOf } from '../session-text.ts'
import {
  controlsOfSession,
  type Done,
  type Driven,
  performVerb,
  type SessionVerb,
  secondsIn,
  sessionVerbs,
} from '../session-verbs.ts'
import { tableLines } from '../table.ts'

/** `session controls`, `set`, `read`, `call`, `give`, `take`, `chat`, `watch`, `drive`: over the session's WebSocket. */
export function addSessionDrive(session: Command, context: Context): void {
  const { terminal } = context
  const print = ({ lines, json }: Done, options: HubOptions) => {
    if (options.json) terminal.out(JSON.stringify(json))
    else for (const line of lines) terminal.out(line)
  }
  const perform = async (verb: SessionVerb, id: string, words: readonly string[], options: HubOptions) => {
    const driven = await openDriven(await openHub(context, options), id)
    try {
      print(await performVerb(driven, verb, words), options)
    } finally {
      driven.live.close()
    }
  }

  for (const verb of ['controls', 'set', 'read', 'call', 'give', 'take'] as const) {
    const { usage, about } = sessionVerbs[verb]
    const command = withHub(session.command(`${verb} <session> ${usage}`.trimEnd()).description(about))
    const example = examples[verb]
    if (example !== undefined) command.addHelpText('after', `\n${example}`)
    command.action(async (id: string, ...rest: unknown[]) => {
      const options = rest.at(-2) as HubOptions
      await perform(verb, id, rest.slice(0, -2).flat() as string[], options)
    })
  }

  withHub(
    session
      .command('chat <session> [words...]')
      .description('say a line; without words, show what is said and say what you type, until the session ends'),
  ).action(async (id: string, words: string[], options: HubOptions) => {
    if (words.length > 0) return await perform('say', id, words, options)
    await converse(context, id, options, {
      shows: ([name]) => name === 'chat' || name === 'said',
      said: async (driven, line) => void (await performVerb(driven, 'say', [line])),
    })
  })

  withHub(
    session
      .command('watch <session> [signals...]')
      .description('print what is read, done and said, until the session ends; of what is read, all or these signals'),
  )
    .addHelpText(
      'after',
      `
A connection that is lost is opened again, and the rest of a session that lost its bench is watched next. Exits 0 when the session is over, 130 at Ctrl-C; the session goes on then.
With --json each line is one object, named as the notifications of the WebSocket are: {"samples": …}.

  fernlab session watch SESSION dmm.voltage
  fernlab session watch SESSION --json | jq -c .samples`,
    )
    .action(async (id: string, signals: string[], options: HubOptions) => {
      const client = await openHub(context, options)
      let next: string | undefined = id
      while (next !== undefined) next = await watchOne(context, client, next, options, signals)
    })

  withHub(
    session
      .command('drive <session>')
      .description('take commands from the terminal or a pipe, and print what happens, until the session ends'),
  )
    .addHelpText(
      'after',
      `
A line is a command, as "help" lists them: set psu.voltage=2.5, read dmm.voltage, say hello. # begins a remark.
From a pipe, the first command that is refused ends it with status 1; the session goes on.

  fernlab session drive SESSION
  printf 'set psu.output=on psu.voltage=2\\nwait 1\\nread dmm.voltage\\n' | fernlab session drive SESSION --json`,
    )
    .action(async (id: string, options: HubOptions) => {
      if (terminal.asks && !options.json) terminal.err('"help" lists the commands, Ctrl-D leaves.')
      await converse(context, id, options, {
        shows: ([name]) => name !== 'samples',
        leavesAtEnd: true,
        said: async (driven, line, signal) => {
          const { verb, words } = commandIn(line)
          if (verb === 'help') return print(help(), options)
          if (verb === 'wait') return await systemClock.sleep(secondsIn(words[0] ?? '', 'wait') * 1000, signal)
          if (!Object.hasOwn(sessionVerbs, verb)) {
            throw mistake('command-unknown', `there is no command ${JSON.stringify(verb)}`, '"help" lists them.')
          }
          print(await performVerb(driven, verb as SessionVerb, words), options)
        },
      })
    })
}

const examples: Partial<Record<SessionVerb, string>> = {
  set: '  fernlab session set SESSION psu.voltage=2.5 psu.output=on\n  fernlab session set SESSION "psu.voltage=2500 mV"',
  read: '  fernlab session read SESSION dmm.voltage\n  fernlab session read SESSION --json | jq .readings',
  call: '  fernlab session call SESSION stage.home speed=2',
  give: '  fernlab session give SESSION "Bo Lindqvist"',
}

/** Prints what happens in a session; answers the one that has the rest of its time. */
async function watchOne(
  context: Context,
  client: HubClient,
  id: string,
  options: HubOptions,
  signals: readonly string[],
): Promise<string | undefined> {
  const { signal, release } = untilInterrupted(context, goesOn(id))
  const tell = teller(context, options, signals)
  let next: string | undefined
  try {
    await followLive({
      client,
      id,
      signal,
      onNews: (...news) => {
        const [name, params] = news
        if (name === 'session') next = params.next
        tell(news)
        return false
      },
      onLost: (error) => tellLost(context, error, options),
    })
  } finally {
    release()
  }
  return next
}

interface Conversation {
  /** What is printed of what the hub tells. */
  shows(news: LiveNews): boolean
  /** Does what a line asks for; the signal ends its waits when the session is over. */
  said(driven: Driven, line: string, signal: AbortSignal): Promise<void>
  /** Whether the end of the input is the end; otherwise it goes on until the session is over. */
  readonly leavesAtEnd?: true
}

/** Follows a session and does what is typed or piped in, until the session is over. */
async function converse(
  context: Context,
  id: string,
  options: HubOptions,
  { shows, said, leavesAtEnd }: Conversation,
): Promise<void> {
  const { terminal } = context
  const client = await openHub(context, options)
  const { signal, release } = untilInterrupted(context, goesOn(id))
  const tell = teller(context, options)
  const over = new AbortController()
  const seat = newSeat(client)
  let left = false
  let finished = false
  try {
    const following = followLive({
      client,
      id,
      signal,
      onNews: (...news) => {
        seat.hear(news)
        if (shows(news)) tell(news)
        return left
      },
      onOpen: seat.sit,
      onLost: (error) => {
        seat.leave()
        tellLost(context, error, options)
      },
    }).finally(() => over.abort(overBefore(id)))
    const listening = (async () => {
      await Promise.race([seat.opened, following])
      const ended = AbortSignal.any([signal, over.signal])
      for await (const text of terminal.lines(ended)) {
        const line = text.trim()
        if (line === '' || line.startsWith('#')) continue
        finished ||= line === 'finish'
        try {
          await said(seat.driven(), line, ended)
        } catch (error) {
          if (error === over.signal.reason) break
          if (!terminal.asks || signal.aborted) throw error
          for (const problem of problemLines(asLabError(error))) terminal.err(problem)
        }
      }
      if (leavesAtEnd && over.signal.aborted && !finished && !terminal.asks) throw overBefore(id)
    })()
    const leave = () => {
      left = true
      seat.close()
    }
    listening.then(() => leavesAtEnd && leave(), leave)
    await following
    await listening
  } finally {
    release()
    over.abort()
  }
}

/** Where somebody sits who follows a session: its connection, while there is one. */
function newSeat(client: HubClient) {
  let live: LiveSession | undefined
  let people: LiveParams<'people'> | undefined
  let controls: Promise<Controls> | undefined
  let session: LiveSession['session'] | undefined
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    opened,
    hear: ([name, params]: LiveNews) => {
      if (name === 'people') people = params
      if (name !== 'session') return
      if (params.bench !== session?.bench) controls = undefined
      session = params
    },
    sit: (one: LiveSession) => {
      live = one
      session ??= one.session
      open()
    },
    leave: () => {
      live = undefined
    },
    close: () => live?.close(),
    driven: (): Driven => {
      const now = live
      const of = session
      if (now === undefined || of === undefined) {
        throw new LabError({
          code: 'connection-lost',
          kind: 'link',
          retry: 'later',
          message: 'the connection is lost: nothing was sent',
        })
      }
      return {
        live: now,
        people: async () => people ?? { people: [] },
        controls: () => {
          controls ??= controlsOfSession(client, of)
          return controls
        },
      }
    },
  }
}

/** One connection for one command. */
async function openDriven(client: HubClient, id: string): Promise<Driven> {
  let hear: (people: LiveParams<'people'>) => void = () => {}
  const people = new Promise<LiveParams<'people'>>((resolve) => {
    hear = resolve
  })
  const live = await openLive(client, id, (name, params) => {
    if (name === 'people') hear(params)
  })
  if (live.session.state === 'closed') {
    live.close()
    throw isOver(live.session)
  }
  return {
    live,
    people: () => Promise.race([people, live.closed.then(() => ({ people: [] }))]),
    controls: () => controlsOfSession(client, live.session),
  }
}

/** Prints news; for a person, how the session stands only when that reads otherwise than before. */
function teller({ terminal }: Context, { json }: HubOptions, signals: readonly string[] = []) {
  let stands = ''
  return (news: LiveNews): void => {
    const told = newsOf(news, signals)
    if (told === undefined) return
    const [name, params] = told
    const lines = json ? [JSON.stringify({ [name]: params })] : linesOfNews(told)
    if (name === 'session' && !json) {
      if (lines.join('\n') === stands) return
      stands = lines.join('\n')
    }
    for (const line of lines) terminal.out(line)
  }
}

function tellLost({ terminal }: Context, error: LabError, { json }: HubOptions): void {
  if (json) terminal.out(JSON.stringify({ lost: { code: error.code, message: error.message } }))
  else terminal.err(`the connection was lost, and is tried again: ${error.message}`)
}

const help = (): Done => {
  const rows = [
    ...Object.entries(sessionVerbs).map(([name, { usage, about }]) => ({ command: `${name} ${usage}`, about })),
    { command: 'wait <seconds>', about: 'do nothing for a while' },
  ]
  return { lines: tableLines(rows, { command: (row) => row.command, does: (row) => row.about }), json: { help: rows } }
}

const isOver = ({ id, reason }: Session): LabError =>
  new LabError({
    code: 'session-over',
    kind: 'caller',
    message: `session ${id} is over${reason === undefined ? '' : `: ${reason}`}
  "fernlab download ${id}" saves what was recorded.`,
  })

const overBefore = (id: string): LabError =>
  new LabError({
    code: 'session-over',
    kind: 'caller',
    message: `session ${id} was over before all commands were done
  "fernlab session show ${id}" says why.`,
  })

const goesOn = (id: string): LabError =>
  new LabError({
    code: 'interrupted-by-person',
    kind: 'caller',
    message: `left; the session goes on\n  "fernlab session watch ${id}" follows it again, "fernlab session finish ${id}" ends it.`,
  })
