/** The thread in which one README is read and its formulas are set; it ends when that is done. */
import { parentPort, workerData } from 'node:worker_threads'
import { renderReadme } from './render-readme.ts'

export interface ReadmeRequest {
  readonly markdown: string
  readonly filesUrl: string
}

const { markdown, filesUrl } = workerData as ReadmeRequest
parentPort?.postMessage(JSON.stringify(renderReadme(markdown, filesUrl)))
