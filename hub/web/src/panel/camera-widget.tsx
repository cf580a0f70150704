import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { TAKE_PICTURE } from '@fernlab/shared/contracts/pictures'
import { ActionIcon } from '@mantine/core'
import { IconArrowsMaximize, IconCamera, IconPhotoDown } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './camera.module.css'
import { openCameraLink, type Seen } from './camera-link.ts'
import { usePanel } from './panel-context.tsx'
import { Tile } from './tile.tsx'
import { useRefusal } from './use-control.ts'

/** Without a picture for so long, the one that stands there is said to be old. */
const staleMs = 2000

/** What a camera of the bench sees now. */
export default function CameraWidget({ widget, title }: { widget: PanelWidget & { kind: 'camera' }; title: string }) {
  const { t } = useWords()
  const { cameraUrl, ready, call } = usePanel()
  const why = useRefusal()
  const take = useMutation({ mutationFn: () => call(`${widget.part}.${TAKE_PICTURE}`, {}) })
  const canvas = useRef<HTMLCanvasElement>(null)
  const [newest, setNewest] = useState<Seen>()
  const [ended, setEnded] = useState<string>()
  const silentS = useSilence(newest)
  const url = cameraUrl?.(widget.part)

  useEffect(() => {
    if (url === undefined) return
    setEnded(undefined)
    return openCameraLink({
      connect: () => new WebSocket(url),
      onEnd: setEnded,
      show: async (seen) => {
        const picture = await createImageBitmap(seen.file)
        const at = canvas.current
        if (at === null) return
        if (at.width !== picture.width || at.height !== picture.height) {
          at.width = picture.width
          at.height = picture.height
        }
        at.getContext('2d')?.drawImage(picture, 0, 0)
        picture.close()
        setNewest(seen)
      },
    })
  }, [url])

  const says =
    ended ??
    (newest === undefined
      ? t('panel.camera.waiting')
      : silentS > 0
        ? t('panel.camera.silent', { seconds: silentS })
        : undefined)
  return (
    <Tile title={title} fill>
      <div className={styles.frame}>
        <canvas
          ref={canvas}
          className={styles.picture}
          data-old={(newest !== undefined && says !== undefined) || undefined}
          width={4}
          height={3}
          role="img"
          aria-label={t('panel.camera.picture', { title })}
        />
        <p role="status" className={styles.says}>
          {says ?? ''}
        </p>
        {newest === undefined ? null : (
          <div className={styles.tools}>
            <p role="status" className={styles.taken}>
              {take.error === null ? (take.isSuccess ? t('panel.camera.taken') : '') : why(take.error)}
            </p>
            <ActionIcon
              variant="default"
              size="lg"
              aria-label={t('panel.camera.take')}
              disabled={!ready}
              loading={take.isPending}
              onClick={() => take.mutate()}
            >
              <IconCamera size={18} aria-hidden="true" />
            </ActionIcon>
            <ActionIcon
              variant="default"
              size="lg"
              aria-label={t('panel.camera.save')}
              onClick={() => save(newest, title)}
            >
              <IconPhotoDown size={18} aria-hidden="true" />
            </ActionIcon>
            <ActionIcon
              variant="default"
              size="lg"
              aria-label={t('panel.camera.full')}
              onClick={() => void canvas.current?.requestFullscreen()}
            >
              <IconArrowsMaximize size={18} aria-hidden="true" />
            </ActionIcon>
          </div>
        )}
      </div>
    </Tile>
  )
}

/** For how many whole seconds no picture has come, once it is too long. */
function useSilence(newest: Seen | undefined): number {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    setSeconds(0)
    if (newest === undefined) return
    const since = performance.now()
    const timer = setInterval(() => {
      const ms = performance.now() - since
      if (ms >= staleMs) setSeconds(Math.floor(ms / 1000))
    }, 500)
    return () => clearInterval(timer)
  }, [newest])
  return seconds
}

/** As a file that is called after what it shows and when that was. */
function save({ file, time }: Seen, title: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `${title} ${new Date(time * 1000).toISOString().replaceAll(':', '-')}.jpg`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
