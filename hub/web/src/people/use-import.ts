import type { ImportedPeople, ImportProgress } from '@fernlab/shared/contracts/api'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { type Api, ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { upload } from '../api/upload.ts'

const path = '/api/v1/users/import'
const LOOK_MS = 400

export interface ImportList {
  readonly text: string
  readonly to: string
  readonly into: string
}

/** How far one is: a share of the list that was sent, then what the hub does. */
export type ImportStep = { readonly step: 'sending'; readonly share: number } | ImportProgress

/** Looking a list through, or importing it: how far it is, and a way to stop it. */
export function useImport(preview: boolean, onSuccess: () => void = () => {}) {
  const api = useApi()
  const [step, setStep] = useState<ImportStep>()
  const [stopped, setStopped] = useState<'nobody' | 'late'>()
  const stop = useRef<AbortController>(undefined)
  const work = useMutation({
    mutationFn: async ({ text, to, into }: ImportList) => {
      stop.current?.abort()
      const mine = new AbortController()
      stop.current = mine
      const ref = crypto.randomUUID()
      const tell = (next: ImportStep) => {
        if (stop.current === mine) setStep(next)
      }
      setStopped(undefined)
      tell({ step: 'sending', share: 0 })
      const looking = window.setInterval(() => {
        if (!mine.signal.aborted) void latest(api, ref).then((now) => now !== undefined && tell(now))
      }, LOOK_MS)
      const group = into === '' ? {} : { group: into }
      try {
        return await upload<ImportedPeople>(
          path,
          { csv: text, role: to, ...group, preview, ref },
          { signal: mine.signal, onSent: (share) => tell({ step: 'sending', share }) },
        )
      } catch (error) {
        if (!mine.signal.aborted) throw error
        const late = !preview && (await fate(api, ref)) === 'done'
        if (stop.current === mine) setStopped(late ? 'late' : 'nobody')
        throw new Stopped()
      } finally {
        window.clearInterval(looking)
        if (stop.current === mine) setStep(undefined)
      }
    },
    onSuccess,
  })
  useEffect(() => () => stop.current?.abort(), [])
  return {
    data: work.data,
    error: work.error instanceof Stopped ? null : work.error,
    isPending: work.isPending,
    /** What became of one that was stopped. */
    stopped,
    step,
    start: work.mutate,
    stop: () => stop.current?.abort(),
    reset: () => {
      stop.current?.abort()
      setStopped(undefined)
      work.reset()
    },
  }
}

class Stopped extends Error {}

/** Of what only shows how far it is: a hub that does not answer is told by the import itself. */
async function latest(api: Api, ref: string): Promise<ImportProgress | undefined> {
  try {
    const { items } = await api.get<{ items: ImportProgress[] }>(path)
    return items.find((one) => one.ref === ref)
  } catch (error) {
    if (error instanceof ApiProblem) return undefined
    throw error
  }
}

/** How one ended whose call was given up; one whose list had not come whole was never begun. */
async function fate(api: Api, ref: string): Promise<'done' | 'stopped'> {
  for (;;) {
    const now = await latest(api, ref)
    if (now === undefined || now.step === 'stopped') return 'stopped'
    if (now.step === 'done') return 'done'
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS))
  }
}
