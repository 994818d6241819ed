/**
 * The scripts that join a shell's Tab key to `postern completion --complete`. All they know is how their shell splits a
 * line and takes candidates; what is offered is said by the program, so a script never grows old.
 *
 * Each runs the `postern` of the PATH, never what stands on the line: completing a line must not run `./postern`.
 */

const bash = `# Completion of postern for bash. In ~/.bashrc: source <(postern completion bash)

_postern() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() count=0 i word breaks= cut= reply behind
  # Bash has parted the words at characters such as ":" and "="; they are one where no space stands between.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
      line=\${line#"\${line%%[![:space:]]*}"}
      words[count++]=
    fi
    ((i == COMP_CWORD)) && word=$line
    words[count-1]+=$word
    line=\${line#"$word"}
  done
  word=\${words[count-1]}
  # It takes a candidate in place of what stands behind the last of them.
  for i in : =; do [[ $COMP_WORDBREAKS == *$i* ]] && breaks+=$i; done
  [[ -n $breaks && $word == *[$breaks]* ]] && cut=\${word%"\${word##*[$breaks]}"}
  COMPREPLY=()
  while IFS= read -r reply; do
    if [[ $reply == $'\\t'* ]]; then
      behind=\${reply#$'\\t'}
      while IFS= read -r reply; do
        [[ -d \${reply/#\\~/$HOME} ]] && reply+=/
        reply=$behind$(printf %q "$reply")
        reply=\${reply/#\\\\~/\\~}
        COMPREPLY+=("\${reply#"$cut"}")
      done < <(compgen -f -- "\${word#"$behind"}")
    else
      reply=\${reply%%$'\\t'*}
      COMPREPLY+=("\${reply#"$cut"}")
    fi
  done < <(command postern completion --complete -- "\${words[@]:1}" 2>/dev/null)
  # What goes on gets no space.
  [[ \${#COMPREPLY[@]} == 1 && $COMPREPLY == *[:=/] ]] && compopt -o nospace 2>/dev/null
  return 0
}

complete -F _postern postern
`

const zsh = `#compdef postern
# Completion of postern for zsh. In ~/.zshrc, behind compinit: source <(postern completion zsh)

_postern() {
  local line word behind
  local -a whole wholeShown open openShown
  for line in "\${(@f)$(command postern completion --complete -- "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    word=\${line%%$'\\t'*}
    if [[ -z $word ]]; then
      behind=\${line#$'\\t'}
      [[ -n $behind ]] && compset -P "\${(b)behind}"
      _files
    elif [[ $word == *[:=/] ]]; then
      open+=("$word")
      openShown+=("$word  -- \${line#*$'\\t'}")
    else
      whole+=("$word")
      wholeShown+=("$word  -- \${line#*$'\\t'}")
    fi
  done
  # What goes on gets no space.
  ((\${#whole})) && compadd -l -d wholeShown -a whole
  ((\${#open})) && compadd -l -S '' -d openShown -a open
}

if [[ \${funcstack[1]} == _postern ]]; then _postern "$@"; else compdef _postern postern; fi
`

const fish = `# Completion of postern for fish. Once: postern completion fish > ~/.config/fish/completions/postern.fish

function __postern_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command postern completion --complete -- $words[2..] "$current" 2>/dev/null)
        if not string match -q -- \\t'*' $line
            echo $line
            continue
        end
        set -l behind (string sub -s 2 -- $line)
        set -l typed (string sub -s (math (string length -- "$behind") + 1) -- "$current")
        # The completion of a command that there is not is that of files.
        for path in (complete -C "'' $typed")
            echo $behind$path
        end
    end
end

complete -c postern -f -a '(__postern_complete)'
`

/** The scripts by the names of their shells. */
export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish }
