/**
 * The port behind which a GPIO chip is reached. Levels are those of the wire (true is high): what is active-low is the pins'
 * own business.
 */

import type { Edge } from '@fernlab/firmware-bridge/emulated/waves'
import type { LabError } from '@fernlab/shared/primitives/lab-error'

export type { Edge }

export type Pull = 'up' | 'down' | 'none'
export type Edges = 'rising' | 'falling' | 'both'

export interface OutputLine {
  /** Resolves when the pin has the level. */
  write(level: boolean): Promise<void>
  read(): Promise<boolean>
  /** Puts the pin at the level, which it keeps where the kernel lets it, and lets go of it; idempotent. */
  close(level: boolean): Promise<void>
}

export interface InputLine {
  read(): Promise<boolean>
  /** Idempotent. */
  close(): Promise<void>
}

export interface PwmLine {
  /** `hardware: pwmchip0 channel 0`, `software: …`. */
  readonly how: string
  /** Resolves when the duty, 0 to 1, is taken. */
  write(duty: number): Promise<void>
  /** As an output's. */
  close(duty: number): Promise<void>
}

/** A line whose edges are told; its level is not asked for. */
export interface EdgesLine {
  /** Idempotent. */
  close(): Promise<void>
}

export interface InputOptions {
  readonly pull: Pull | undefined
  /** In order; the level is that after the edge, or, where edges come faster than they are taken, one that is later. */
  readonly onEdge: (edge: Edge) => void
}

export interface EdgesOptions extends InputOptions {
  readonly edges: Edges
}

export interface PwmOptions {
  readonly frequencyHz: number
  readonly duty: number
}

/** One chip, open. Every way to take a line rejects with a LabError that names it and says what to do. */
export interface Chip {
  /** As people should read it: `pinctrl-bcm2711 (58 lines, base 512) by sysfs`. */
  readonly about: string
  output(line: number, level: boolean): Promise<OutputLine>
  input(line: number, options: InputOptions): Promise<InputLine>
  edges(line: number, options: EdgesOptions): Promise<EdgesLine>
  /** A PWM that the backend itself has for the line; undefined where it has none. */
  pwm(line: number, options: PwmOptions): Promise<PwmLine | undefined>
  /** What a PWM made of writes costs a write here, in ms; undefined where a write is too slow for that. */
  readonly softwarePwmHz: number | undefined
}

export interface ChipRequest {
  /** Labels, of which the machine must have one. */
  readonly labels: readonly string[]
  readonly wantsPull: boolean
  /** Told when a line is lost that was there; the instrument opens its pins anew. */
  readonly onLost: (reason: LabError) => void
}

export interface Backend {
  open(request: ChipRequest, signal: AbortSignal): Promise<Chip>
}
