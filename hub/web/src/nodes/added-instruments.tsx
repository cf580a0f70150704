import type { ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { nodeAddress } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'
import { foundIn, nodeSays } from './findings.ts'
import styles from './hardware.module.css'
import { useLookAgain } from './look-again.ts'

/** Instruments that were made on the page, and the way back. */
export function AddedInstruments({ node, added }: { node: string; added: readonly ShownInstrument[] }) {
  const { t, date, language } = useWords()
  if (added.length === 0) return null
  return (
    <section className={styles.group} aria-labelledby="added">
      <h3 id="added">{t('nodes.added')}</h3>
      <p className="soft">{t('nodes.addedText')}</p>
      <ul className={styles.findings}>
        {added.map((instrument) => {
          const { name, driver, by, at, bench, leftOut } = instrument
          return (
            <li key={name} className={styles.added}>
              <div className={styles.said}>
                <span className={styles.what}>{name}</span>
                <span className={styles.detail}>{t('nodes.addedBy', { driver, name: by, date: date(at) })}</span>
                {leftOut === undefined ? null : (
                  <span>{t('nodes.addedLeftOut', { why: foundIn(leftOut, t, language) })}</span>
                )}
                {bench === undefined ? null : <span className={styles.detail}>{t('nodes.addedBench', { bench })}</span>}
              </div>
              {bench === undefined ? <Remove node={node} name={name} /> : null}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Remove({ node, name }: { node: string; name: string }) {
  const { t, language } = useWords()
  const api = useApi()
  const lookAgain = useLookAgain(node)
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `${nodeAddress(node)}/instruments/${name}`),
    onSuccess: async () => {
      setAsking(false)
      await lookAgain()
    },
  })
  const close = () => {
    remove.reset()
    setAsking(false)
  }
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={() => setAsking(true)}
        aria-label={t('nodes.addedRemoveOf', { name })}
      >
        {t('nodes.addedRemove')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={close}
        title={t('nodes.addedRemoveTitle', { name })}
        confirm={t('nodes.addedRemove')}
        pending={remove.isPending}
        error={remove.error}
        say={nodeSays(remove.error, t, language)}
        onConfirm={() => remove.mutate()}
      >
        <p>{t('nodes.addedRemoveText')}</p>
      </ConfirmDialog>
    </>
  )
}
