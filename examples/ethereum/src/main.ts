process.stderr.write('example: ethereum is not written yet\n')
