import type { RunningMachine } from './machine.ts'

/** What a guest test file needs: the export `need` of the `.need.ts` file beside it. */
export interface GuestNeed {
  /** Kernel modules with their parameters, loaded in this order before the file and removed after it. */
  readonly modules?: readonly string[]
  /** Files of the repository that the code under test reads, laid at the same place below `/fernlab`. */
  readonly files?: readonly string[]
  /** Whether the compiled node is to be there, in /opt/fernlab/edge. */
  readonly edge?: boolean
  /** Whether this machine's ffmpeg is to be mounted, by `mountFfmpeg` of `in-guest/ffmpeg.ts`; on the PC alone. */
  readonly ffmpeg?: boolean
  /** Starts what stands at the other end of the machine's devices, on the host. */
  host?(machine: RunningMachine): Promise<HostPeer>
}

/** The host's side of one guest test file. */
export interface HostPeer {
  /** What the guest may ask for with `askHost(name, …)`; arguments and results are JSON. */
  readonly operations: Readonly<Record<string, (...args: never[]) => unknown>>
  close(): Promise<void>
}
