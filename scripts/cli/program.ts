import { Command } from 'commander'
import { addAccount } from './commands/account/account.ts'
import { addAudit } from './commands/audit.ts'
import { addBench } from './commands/bench.ts'
import { addBoard } from './commands/board.ts'
import { addBooking } from './commands/booking.ts'
import { addCall } from './commands/call.ts'
import { addCompletion } from './commands/completion.ts'
import { addDaemon } from './commands/daemon.ts'
import { addData } from './commands/data.ts'
import { addDirectory } from './commands/directory.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDriver } from './commands/driver.ts'
import { addFleet } from './commands/fleet.ts'
import { addGroup } from './commands/group.ts'
import { addLab } from './commands/lab.ts'
import { addListings } from './commands/listings.ts'
import { addLogin } from './commands/login.ts'
import { addParts } from './commands/parts.ts'
import { addPermission } from './commands/permission.ts'
import { addPointers } from './commands/pointers.ts'
import { addRecurring } from './commands/recurring.ts'
import { addRun } from './commands/run.ts'
import { addRunData } from './commands/run-data.ts'
import { addSchema } from './commands/schema.ts'
import { addService } from './commands/service.ts'
import { addSession } from './commands/session.ts'
import { addSettings } from './commands/settings.ts'
import { addToken } from './commands/token.ts'
import { addUsage } from './commands/usage.ts'
import { addUser } from './commands/user.ts'
import type { Context } from './context.ts'
import { manual } from './manual.ts'
import { terminalIn } from './terminal.ts'

/** The `fernlab` command with all its verbs; nothing runs until it is given arguments. */
export function createProgram(given: Context, version: string): Command {
  const mode = { json: false, quiet: false }
  const context: Context = { ...given, terminal: terminalIn(given.terminal, mode) }
  const program = new Command('fernlab')
    .description('The remote laboratory that you flash')
    .version(version)
    .showSuggestionAfterError()
    .hook('preAction', (_program, verb) => {
      const { json, quiet } = verb.opts<{ json?: boolean; quiet?: boolean }>()
      mode.json = json === true
      mode.quiet = quiet === true
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.out(text.trimEnd()),
      writeErr: (text) => given.terminal.err(text.trimEnd().replace(/^error: /, 'fernlab: ')),
    })
  program.commandsGroup('Programs:')
  addParts(program, context)
  program.commandsGroup('Labs, runs and results:')
  addListings(program, context)
  addRun(program, context)
  addRunData(program, context)
  addRecurring(program, context)
  program.commandsGroup('Benches by hand, and times:')
  addSession(program, context)
  addBooking(program, context)
  program.commandsGroup('Work on labs, benches and nodes:')
  addLab(program, context)
  addSchema(program, context)
  addBench(program, context)
  addFleet(program, context)
  addDirectory(program, context)
  addCall(program, context)
  addBoard(program, context)
  addDriver(program, context)
  addService(program, context)
  addDaemon(program, context)
  program.commandsGroup('Your account:')
  addAccount(program, context)
  addToken(program, context)
  program.commandsGroup('People and rules:')
  addUser(program, context)
  addGroup(program, context)
  addSettings(program, context)
  addAudit(program, context)
  addUsage(program, context)
  addPermission(program, context)
  program.commandsGroup('Data of a hub:')
  addData(program, context)
  program.commandsGroup('This command line:')
  addLogin(program, context)
  addDoctor(program, context)
  addCompletion(program, context)
  addPointers(program)
  describeAll(program, 'fernlab')
  return program
}

/** Each verb has its example, and says of a mistake where its own help is. */
function describeAll(command: Command, path: string): void {
  const { example } = manual[path.replace(/^fernlab ?/, '')] ?? {}
  if (example !== undefined) command.addHelpText('after', `\nExample:\n  ${example}`)
  command.showHelpAfterError(`("${path} --help" says more)`)
  for (const option of command.options)
    if (Array.isArray(option.defaultValue)) option.default(option.defaultValue, 'none')
  for (const verb of command.commands) describeAll(verb, `${path} ${verb.name()}`)
}
