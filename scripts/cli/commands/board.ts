import type { Command } from 'commander'
import type { DescribeOptions, FlashOptions, ForwardOptions } from '../board/board-verbs.ts'
import type { Context } from '../context.ts'

const portHelp = 'where the board is: /dev/serial/by-id/…, net:HOST:PORT, emulated:uno, or the folder of a Pico’s drive'

/** `board`: firmware onto the boards at this machine, and a way to them for other tools; asks no hub. */
export function addBoard(program: Command, context: Context): void {
  const verbs = () => import('../board/board-verbs.ts')
  const board = program.command('board').description('firmware of microcontrollers at this machine')
  withOutput(board.command('kinds').description('list the boards that can be flashed')).action(
    async (options: { json?: boolean }) => (await verbs()).listKinds(context, options),
  )
  withOutput(
    board
      .command('flash <file>')
      .description('write a firmware file to a board, and read it back')
      .requiredOption('--port <port>', portHelp)
      .requiredOption('--board <kind>', 'what it is; "fernlab board kinds" lists them')
      .option('--if-different', 'leave a board alone that holds the firmware already'),
  ).action(async (file: string, options: FlashOptions) => (await verbs()).flashBoard(context, file, options))
  withOutput(
    board
      .command('describe')
      .description(
        'ask a board with fernlab-link what it is; the answer is the file that node.yaml names as description',
      )
      .requiredOption('--port <port>', portHelp)
      .option('--baud <rate>', 'of its firmware, in bits per second', '115200'),
  ).action(async (options: DescribeOptions) => (await verbs()).describeBoard(context, options))
  withOutput(
    board
      .command('forward')
      .description('let other tools reach a board over TCP, until Ctrl-C')
      .requiredOption('--port <port>', portHelp)
      .option('--listen <address>', 'where the tools connect; port 0 is any free one', '127.0.0.1:5331')
      .option('--baud <rate>', 'of a serial port, in bits per second', '115200'),
  ).action(async (options: ForwardOptions) => (await verbs()).forwardBoard(context, options))
}

const withOutput = (command: Command): Command =>
  command
    .option('--json', 'JSON instead of text; nobody is asked anything')
    .option('--quiet', 'the result alone: no hints, no progress')
