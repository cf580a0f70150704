import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { removeSecondFactor, renewRecoveryCodes } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { secondFactorQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './account.module.css'
import { RecoveryCodes } from './recovery-codes.tsx'
import { SetUpSecondFactor } from './set-up-second-factor.tsx'
import { WithPassword } from './with-password.tsx'

type Dialog = 'set-up' | 'renew' | 'remove'

/** A code of an app besides the password: how it stands, and the ways to change that. */
export function SecondFactor() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const factor = useQuery(secondFactorQuery(api))
  const [open, setOpen] = useState<Dialog>()
  /** Grows with each opening, so that a dialog starts anew. */
  const [opening, setOpening] = useState(0)
  const refresh = () => client.invalidateQueries({ queryKey: ['me'] })
  const close = () => setOpen(undefined)
  const renew = useMutation({ mutationFn: (password: string) => renewRecoveryCodes(api, password), onSuccess: refresh })
  const remove = useMutation({
    mutationFn: (password: string) => removeSecondFactor(api, password),
    onSuccess: async () => {
      await refresh()
      close()
    },
  })
  const show = (which: Dialog) => {
    renew.reset()
    remove.reset()
    setOpening((before) => before + 1)
    setOpen(which)
  }
  const closeButtonProps = { 'aria-label': t('common.close') }
  return (
    <section className={styles.section} aria-labelledby="second-factor">
      <h2 id="second-factor">{t('account.second')}</h2>
      {factor.data === undefined ? (
        factor.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={factor.error} onRetry={() => void factor.refetch()} />
        )
      ) : (
        <>
          <p className="soft">
            {factor.data.on ? t('account.secondOn', { count: factor.data.recoveryCodes }) : t('account.secondOff')}
            {factor.data.required ? ` ${t('account.secondRequired')}` : null}
          </p>
          <div className={styles.outcome}>
            {factor.data.on ? (
              <>
                <Button variant="default" onClick={() => show('renew')}>
                  {t('account.recoveryNew')}
                </Button>
                <Button variant="default" onClick={() => show('remove')}>
                  {t('account.secondRemove')}
                </Button>
              </>
            ) : (
              <Button variant="default" onClick={() => show('set-up')}>
                {t('account.secondSetUp')}
              </Button>
            )}
          </div>
        </>
      )}
      <Modal
        key={`set-up ${opening}`}
        opened={open === 'set-up'}
        onClose={() => {
          close()
          void refresh()
        }}
        title={t('account.second')}
        closeButtonProps={closeButtonProps}
      >
        <SetUpSecondFactor
          done={t('account.recoveryKept')}
          onDone={() => {
            close()
            void refresh()
          }}
        />
      </Modal>
      {renew.data === undefined ? (
        <WithPassword
          key={`renew ${opening}`}
          opened={open === 'renew'}
          title={t('account.recoveryNew')}
          text={t('account.recoveryNewText')}
          confirm={t('account.recoveryNew')}
          pending={renew.isPending}
          error={renew.error}
          onConfirm={renew.mutate}
          onClose={close}
        />
      ) : (
        <Modal
          opened={open === 'renew'}
          onClose={close}
          title={t('account.recoveryNew')}
          closeButtonProps={closeButtonProps}
        >
          <RecoveryCodes codes={renew.data.recoveryCodes} done={t('account.recoveryKept')} onDone={close} />
        </Modal>
      )}
      <WithPassword
        key={`remove ${opening}`}
        opened={open === 'remove'}
        title={t('account.secondRemoveTitle')}
        text={t('account.secondRemoveText')}
        confirm={t('account.secondRemove')}
        grave
        pending={remove.isPending}
        error={remove.error}
        onConfirm={remove.mutate}
        onClose={close}
      />
    </section>
  )
}
