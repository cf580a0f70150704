import { Command } from 'commander'
import { addAccount } from './commands/account.ts'
import { addAudit } from './commands/audit.ts'
import { addBench } from './commands/bench.ts'
import { addBooking } from './commands/booking.ts'
import { addData } from './commands/data.ts'
import { addDoctor } from './commands/doctor.ts'
import { addFleet } from './commands/fleet.ts'
import { addGroup } from './commands/group.ts'
import { addLab } from './commands/lab.ts'
import { addListings } from './commands/listings.ts'
import { addLogin } from './commands/login.ts'
import { addNotBuilt } from './commands/not-built.ts'
import { addParts } from './commands/parts.ts'
import { addPermission } from './commands/permission.ts'
import { addRecurring } from './commands/recurring.ts'
import { addRun } from './commands/run.ts'
import { addSchema } from './commands/schema.ts'
import { addSession } from './commands/session.ts'
import { addSettings } from './commands/settings.ts'
import { addToken } from './commands/token.ts'
import { addUsage } from './commands/usage.ts'
import { addUser } from './commands/user.ts'
import type { Context } from './context.ts'

/** The `fernlab` command with all its verbs; nothing runs until it is given arguments. */
export function createProgram(context: Context, version: string): Command {
  const program = new Command('fernlab')
    .description('The remote laboratory that you flash')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(fernlab --help lists the verbs)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.out(text.trimEnd()),
      writeErr: (text) => context.terminal.err(text.trimEnd().replace(/^error: /, 'fernlab: ')),
    })
  addParts(program, context)
  addListings(program, context)
  addRun(program, context)
  addRecurring(program, context)
  addSession(program, context)
  addBooking(program, context)
  addLab(program, context)
  addSchema(program, context)
  addBench(program, context)
  addFleet(program, context)
  addAccount(program, context)
  addToken(program, context)
  addUser(program, context)
  addGroup(program, context)
  addSettings(program, context)
  addAudit(program, context)
  addUsage(program, context)
  addPermission(program, context)
  addData(program, context)
  addLogin(program, context)
  addDoctor(program, context)
  addNotBuilt(program)
  return program
}
