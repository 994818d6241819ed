// The C compiler and what it is told, for the addon and for its tests.

export const compiler = process.env.CC ?? 'cc'

export const strict = ['-std=c11', '-pthread', '-Wall', '-Wextra', '-Werror']

/** Whatever a sanitizer finds ends the program. */
export const sanitized = ['-O1', '-g', '-fno-omit-frame-pointer', '-fno-sanitize-recover=all']
