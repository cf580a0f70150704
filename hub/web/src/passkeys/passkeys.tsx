import type { Site } from '@fernlab/shared/contracts/api'
import type { Passkey } from '@fernlab/shared/contracts/passkeys'
import { Button, Modal } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import account from '../account/account.module.css'
import { WithPassword } from '../account/with-password.tsx'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { AddPasskey } from './add-passkey.tsx'
import { passkeysQuery, removePasskey } from './calls.ts'
import styles from './passkeys.module.css'
import { RenamePasskey } from './rename-passkey.tsx'
import { browserHasPasskeys } from './web-authn.ts'

type Dialog = 'add' | { readonly rename: Passkey } | { readonly remove: Passkey }

/** My passkeys: what each is called and when it was used, and how to add, rename and remove them. */
export function Passkeys() {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const site = useQuery(siteQuery(api))
  const passkeys = useQuery(passkeysQuery(api))
  const [open, setOpen] = useState<Dialog>()
  /** Grows with each opening, so that a dialog starts anew. */
  const [opening, setOpening] = useState(0)
  const close = () => setOpen(undefined)
  const changed = () => {
    close()
    void client.invalidateQueries({ queryKey: ['me'] })
  }
  const remove = useMutation({
    mutationFn: (given: { id: string; password: string }) => removePasskey(api, given.id, given.password),
    onSuccess: changed,
  })
  const show = (dialog: Dialog) => {
    remove.reset()
    setOpening((before) => before + 1)
    setOpen(dialog)
  }
  const renaming = typeof open === 'object' && 'rename' in open ? open.rename : undefined
  const removing = typeof open === 'object' && 'remove' in open ? open.remove : undefined
  const closeButtonProps = { 'aria-label': t('common.close') }
  const hindrance = useHindrance(site.data)
  return (
    <section className={account.section} aria-labelledby="passkeys">
      <div className={account.tokensHead}>
        <div>
          <h2 id="passkeys">{t('passkey.title')}</h2>
          <p className="soft">{t('passkey.text')}</p>
        </div>
        {site.data === undefined || hindrance !== null ? null : (
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => show('add')}>
            {t('passkey.add')}
          </Button>
        )}
      </div>
      {hindrance}
      {passkeys.data === undefined ? (
        passkeys.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={passkeys.error} onRetry={() => void passkeys.refetch()} />
        )
      ) : passkeys.data.items.length === 0 ? (
        <p className="soft">{t('passkey.none')}</p>
      ) : (
        <ul className={styles.list}>
          {passkeys.data.items.map((passkey) => (
            <PasskeyRow
              key={passkey.id}
              passkey={passkey}
              onRename={() => show({ rename: passkey })}
              onRemove={() => show({ remove: passkey })}
            />
          ))}
        </ul>
      )}
      <Modal
        key={`add ${opening}`}
        opened={open === 'add'}
        onClose={close}
        title={t('passkey.add')}
        closeButtonProps={closeButtonProps}
      >
        <AddPasskey onAdded={changed} />
      </Modal>
      <Modal
        key={`rename ${opening}`}
        opened={renaming !== undefined}
        onClose={close}
        title={t('passkey.rename')}
        closeButtonProps={closeButtonProps}
      >
        {renaming === undefined ? null : <RenamePasskey passkey={renaming} onRenamed={changed} />}
      </Modal>
      <WithPassword
        key={`remove ${opening}`}
        opened={removing !== undefined}
        title={t('passkey.removeTitle', { name: removing?.name ?? '' })}
        text={t('passkey.removeText')}
        confirm={t('passkey.remove')}
        grave
        pending={remove.isPending}
        error={remove.error}
        onConfirm={(password) => removing && remove.mutate({ id: removing.id, password })}
        onClose={close}
      />
    </section>
  )
}

/** Why no passkey can be made on this page; null where one can. */
function useHindrance(site: Site | undefined) {
  const { t } = useWords()
  if (site === undefined) return null
  const { passkeysAt: at } = site
  if (at === undefined) return <p>{t('passkey.noAddress')}</p>
  if (at !== location.origin) {
    return (
      <p>
        {t('passkey.elsewhere')} <a href={`${at}/account`}>{at}</a>
      </p>
    )
  }
  return browserHasPasskeys() ? null : <p>{t('passkey.noBrowser')}</p>
}

interface RowProps {
  readonly passkey: Passkey
  readonly onRename: () => void
  readonly onRemove: () => void
}

function PasskeyRow({ passkey: { name, createdAt, lastUsedAt }, onRename, onRemove }: RowProps) {
  const { t, moment } = useWords()
  return (
    <li className={styles.passkey}>
      <span className={styles.name}>{name}</span>
      <span className="soft">{t('passkey.added', { time: moment(createdAt) })}</span>
      <span className="soft">
        {lastUsedAt === undefined ? t('account.neverUsed') : t('account.lastUsed', { time: moment(lastUsedAt) })}
      </span>
      <span className={styles.buttons}>
        <Button size="xs" variant="default" aria-label={`${t('passkey.rename')}: ${name}`} onClick={onRename}>
          {t('passkey.rename')}
        </Button>
        <Button size="xs" variant="default" aria-label={`${t('passkey.remove')}: ${name}`} onClick={onRemove}>
          {t('passkey.remove')}
        </Button>
      </span>
    </li>
  )
}
