/**
 * Whether a program that takes no arguments was given none; else it has answered: its usage for --help, what is wrong
 * for the rest.
 */
export function noArguments(args, usage) {
  if (args.length === 0) return true
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n`)
  } else {
    const what = args[0].startsWith('-') ? 'option' : 'argument'
    process.stderr.write(`unknown ${what} ${args[0]}\n${usage}\n`)
    process.exitCode = 1
  }
  return false
}
