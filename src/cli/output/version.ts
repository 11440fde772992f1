/** That of package.json, which is not there where the program is a single file. */
export const version = '1.0.0'
