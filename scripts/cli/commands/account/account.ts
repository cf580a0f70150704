import type { Command } from 'commander'
import type { Context } from '../../context.ts'
import { addData } from './data.ts'
import { addLetters } from './letters.ts'
import { addLink } from './link.ts'
import { addOwnGroups } from './own-groups.ts'
import { addPasskeys } from './passkeys.ts'
import { addPerson } from './person.ts'
import { addSecondFactor } from './second-factor.ts'
import { addSignIns } from './sign-ins.ts'

/** `account …`: who you are, how you sign in, what you are told and what is kept of you. */
export function addAccount(program: Command, context: Context): void {
  const account = program
    .command('account')
    .description('your own account: name, address, password, second factor, letters, data')
    .addHelpText(
      'after',
      `
Examples:
  fernlab account show
  fernlab account password
  fernlab account second-factor on
  fernlab account export my-data.json

What is secret is asked for, or read line by line from standard input; it is on no command line.
API tokens have verbs of their own: fernlab token --help`,
    )
  addPerson(account, context)
  addSecondFactor(account, context)
  addPasskeys(account, context)
  addSignIns(account, context)
  addOwnGroups(account, context)
  addLetters(account, context)
  addData(account, context)
  addLink(account, context)
}
