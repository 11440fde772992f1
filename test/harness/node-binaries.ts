/** Node of other versions, from the packages of npm that hold nothing else. */
import { join } from 'node:path'
import { fetchPackage } from './npm-packages.ts'

/** The oldest one that package.json promises, and the latest of each later line. */
export const supportedNodes = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'] as const

/** Those of Debian 12 and of RHEL 8, and one of the time between. */
export const tooOldNodes = ['18.20.8', '14.21.3', '10.18.1'] as const

/** The folder with the program `node` of this version. */
export const nodeBinaries = async (version: string): Promise<string> => {
  const name = `node-${process.platform}-${process.arch}`
  return join(await fetchPackage({ name, version, shelf: 'node' }), 'bin')
}
