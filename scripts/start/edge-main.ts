/** The node alone, until SIGTERM or Ctrl-C; resolves with the exit code. */
export { runEdgeProcess as main } from '@fernlab/edge/edge-process'
