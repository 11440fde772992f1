/**
 * /proc/sysvipc/shm: the System V shared memory segments of this machine and their creators.
 *
 * A postmaster creates one and writes its key and id into line 7 of the lock file, so that the
 * kernel itself confirms which process runs the cluster, also where it hides all else about that
 * process. The table is that of our own IPC namespace.
 *
 * Source: sysvipc_shm_proc_show() in ipc/shm.c of Linux; PGSharedMemoryCreate() in sysv_shmem.c.
 */
import type { LockFile } from './lock-file.ts'

/**
 * Whether the process in the lock file created the segment that the lock file names, as the user
 * that owns the data directory, and processes are still attached to it.
 */
export const createdSharedMemory = (
  table: string,
  { pid, sharedMemory }: Pick<LockFile, 'pid' | 'sharedMemory'>,
  owner: number,
): boolean =>
  sharedMemory !== null &&
  table.split('\n').some(line => {
    const [key, id, , , creator, , attached, , , creatorUser] = line.trim().split(/\s+/).map(Number)
    return (
      // The kernel prints the key as a signed number.
      Number(key) >>> 0 === sharedMemory.key &&
      id === sharedMemory.id &&
      creator === pid &&
      creatorUser === owner &&
      Number(attached) > 0
    )
  })
