extension CompletionScript {
  var bash: [String] {
    var lines = [
      "# bash completion for rasa",
      "_rasa_names() {",
      "  local program=\"${COMP_WORDS[0]/#\\~/$HOME}\" name meaning",
      "  command -v \"$program\" >/dev/null || program=\(singleQuoted(program))",
      "  while IFS=$'\\t' read -r name meaning; do",
      "    COMPREPLY+=(\"$name\")",
      "  done < <(\"$program\" \(NameCompletion.command) \"$1\" \"$2\" 2>/dev/null)",
      "}",
      "_rasa_paths() {",
      "  local path",
      "  while IFS= read -r path; do COMPREPLY+=(\"$path\"); done < <(compgen \"-$1\" -- \"$2\")",
      "  compopt -o filenames 2>/dev/null",
      "}",
      "_rasa_offer() {",
      "  case $1 in",
      "    files) _rasa_paths f \"$2\" ;;",
      "    folders) _rasa_paths d \"$2\" ;;",
      // A path is meant as soon as a word looks like one.
      "    personas|agents|agent-files)",
      "      if [[ $2 == */* || $2 == .* ]]; then _rasa_paths f \"$2\"; else _rasa_names \"$1\" \"$2\"; fi ;;",
      "    *) _rasa_names \"$1\" \"$2\" ;;",
      "  esac",
      "}",
      "_rasa_takes_value() {",
      "  case \"$1\" in",
      "    \(valuePattern)) return 0 ;;",
      "  esac",
      "  return 1",
      "}",
      "_rasa() {",
      "  local index piece joins= value= path=rasa count=0",
      "  local -a words=()",
      // The shell cuts words at `:` and `=`.
      "  for ((index = 0; index <= COMP_CWORD; index++)); do",
      "    piece=\"${COMP_WORDS[index]}\"",
      "    if [[ $piece == = ]]; then",
      "      ((index < COMP_CWORD)) || words+=(\"\")",
      "    elif ((${#words[@]})) && [[ -n $joins || $piece == : ]]; then",
      "      words[${#words[@]}-1]+=\"$piece\"",
      "      joins=; [[ $piece == : ]] && joins=1",
      "    else",
      "      words+=(\"$piece\")",
      "    fi",
      "  done",
      "  local last=$((${#words[@]} - 1)) current previous=",
      "  current=\"${words[last]}\"",
      "  for ((index = 1; index < last; index++)); do",
      "    piece=\"${words[index]}\" previous=",
      "    if [[ -n $value ]]; then value=; continue; fi",
      "    if _rasa_takes_value \"$path $piece\"; then value=1 previous=$piece; continue; fi",
      "    case \"$path/$piece\" in",
      "      \(pathPattern)) path=\"$path/$piece\" count=0 ;;",
      "      */-*) ;;",
      "      *) ((count += 1)) ;;",
      "    esac",
      "  done",
      "  COMPREPLY=()",
      "  if [[ -n $value ]]; then",
      "    case \"$path $previous\" in",
    ]
    for place in places {
      for option in place.valueOptions {
        let offer: String
        if !option.offeredChoices.isEmpty {
          let list = option.offeredChoices.joined(separator: " ")
          offer = "COMPREPLY=($(compgen -W \"\(list)\" -- \"$current\"))"
        } else if let names = option.completes {
          offer = "_rasa_offer \(names.rawValue) \"$current\""
        } else {
          continue
        }
        let pattern = option.spellings.map { "\"\(place.path) \($0)\"" }.joined(separator: "|")
        lines.append("      \(pattern)) \(offer) ;;")
      }
    }
    lines += [
      "    esac",
      "  else",
      "    local offered=",
      "    case \"$path\" in",
    ]
    for place in places {
      let list = place.items.map(\.word).joined(separator: " ")
      lines.append("      \(place.path)) offered=\"\(list)\" ;;")
    }
    lines += [
      "    esac",
      "    COMPREPLY=($(compgen -W \"$offered\" -- \"$current\"))",
      "    if [[ $current != -* ]]; then",
      "      case \"$path $count\" in",
    ]
    for place in places {
      for (count, names) in place.offeredArguments {
        let pattern = count == "*" ? "\"\(place.path) \"*" : "\"\(place.path) \(count)\""
        lines.append(
          "        \(pattern)) COMPREPLY=(); _rasa_offer \(names.rawValue) \"$current\" ;;")
      }
    }
    lines += [
      "      esac",
      "    fi",
      "  fi",
      // What stands before a colon is on the line already.
      "  if [[ $current == *:* && \"${COMP_WORDBREAKS-}\" == *:* ]]; then",
      "    local before=\"${current%:*}:\"",
      "    for index in \"${!COMPREPLY[@]}\"; do",
      "      COMPREPLY[index]=\"${COMPREPLY[index]#\"$before\"}\"",
      "    done",
      "  fi",
      "  return 0",
      "}",
      "complete -F _rasa rasa",
    ]
    return lines
  }

  var zsh: [String] {
    var lines = [
      "#compdef rasa",
      "_rasa_names() {",
      "  local program=${~words[1]} line name",
      "  local -a found",
      "  (( $+commands[$program] )) || [[ -x $program ]] || program=\(singleQuoted(program))",
      "  for line in ${(f)\"$($program \(NameCompletion.command) $1 ${(Q)PREFIX} 2>/dev/null)\"}; do",
      "    name=${line%%$'\\t'*}",
      "    found+=(\"${name//:/\\\\:}:${line#*$'\\t'}\")",
      "  done",
      "  _describe -t \"$1\" \"$1\" found",
      "}",
      "_rasa_offer() {",
      "  case $1 in",
      "    files) _files ;;",
      "    folders) _files -/ ;;",
      "    personas|agents|agent-files)",
      "      if [[ $PREFIX == */* || $PREFIX == .* ]]; then _files; else _rasa_names $1; fi ;;",
      "    *) _rasa_names $1 ;;",
      "  esac",
      "}",
      "_rasa() {",
      "  local command=rasa index word value= previous= count=0",
      "  local -a items",
      "  for ((index = 2; index < CURRENT; index++)); do",
      "    word=${words[index]} previous=",
      "    if [[ -n $value ]]; then value=; continue; fi",
      "    case \"$command $word\" in",
      "      \(valuePattern)) value=1 previous=$word; continue ;;",
      "    esac",
      "    case \"$command/$word\" in",
      "      \(pathPattern)) command=\"$command/$word\" count=0 ;;",
      "      */-*) ;;",
      "      *) (( count += 1 )) ;;",
      "    esac",
      "  done",
      // `--option=value` is one word here.
      "  if [[ -z $value && $PREFIX == --*=* ]]; then",
      "    value=1 previous=${PREFIX%%=*}",
      "    compset -P '*='",
      "  fi",
      "  if [[ -n $value ]]; then",
      "    case \"$command $previous\" in",
    ]
    for place in places {
      for option in place.valueOptions {
        let offer: String
        if !option.offers.isEmpty {
          let items = option.offers.map { choice in
            singleQuoted(choice.help.isEmpty ? choice.word : "\(choice.word):\(choice.help)")
          }
          offer = "items=(\(items.joined(separator: " "))); _describe value items"
        } else if let names = option.completes {
          offer = "_rasa_offer \(names.rawValue)"
        } else {
          continue
        }
        let pattern = option.spellings.map { "\"\(place.path) \($0)\"" }.joined(separator: "|")
        lines.append("      \(pattern)) \(offer) ;;")
      }
    }
    lines += [
      "    esac",
      "    return",
      "  fi",
      "  if [[ $PREFIX != -* ]]; then",
      "    case \"$command $count\" in",
    ]
    for place in places {
      for (count, names) in place.offeredArguments {
        let pattern = count == "*" ? "\"\(place.path) \"*" : "\"\(place.path) \(count)\""
        lines.append("      \(pattern)) _rasa_offer \(names.rawValue); return ;;")
      }
    }
    lines += ["    esac", "  fi", "  case \"$command\" in"]
    for place in places {
      lines.append("    \(place.path)) items=(")
      for (word, help) in place.items {
        lines.append("      \(singleQuoted(help.isEmpty ? word : "\(word):\(help)"))")
      }
      lines.append("    ) ;;")
    }
    lines += [
      "  esac",
      "  _describe rasa items",
      "}",
      // Found in $fpath, the file is the function's body; sourced, it has to say what it is for.
      "if [[ $funcstack[1] == _rasa ]]; then _rasa \"$@\"; else compdef _rasa rasa; fi",
    ]
    return lines
  }

  var fish: [String] {
    var lines = [
      "# fish completion for rasa",
      "function __rasa_at",
      "  set -l path rasa",
      "  for word in (commandline -opc)[2..-1]",
      "    switch $path/$word",
      "      case \(places.dropFirst().map(\.path).joined(separator: " "))",
      "        set path $path/$word",
      "    end",
      "  end",
      "  test $path = $argv[1]",
      "end",
      "function __rasa_names",
      "  set -l program (commandline -opc)[1]",
      "  command -q $program; or set program \(singleQuoted(program))",
      "  $program \(NameCompletion.command) $argv[1] (commandline -ct) 2>/dev/null",
      "end",
      "function __rasa_offer",
      "  if string match -qr '^[.~]|/' -- (commandline -ct)",
      "    __fish_complete_path (commandline -ct)",
      "  else",
      "    __rasa_names $argv[1]",
      "  end",
      "end",
      "complete -c rasa -f",
    ]
    for place in places {
      let start = "complete -c rasa -n '__rasa_at \(place.path)'"
      for command in place.commands {
        lines.append("\(start) -f -a \(command.name) -d \(singleQuoted(command.summary))")
      }
      if !place.words.isEmpty {
        lines.append("\(start) -f -a '\(place.words.joined(separator: " "))'")
      }
      for names in Set(place.arguments.compactMap(\.self)).sorted(by: { $0.rawValue < $1.rawValue })
      {
        lines.append("\(start) \(fishOffer(names))")
      }
      for option in place.options {
        let short = option.short.map { " -s \($0)" } ?? ""
        let values =
          if !option.offers.isEmpty {
            " -x -a \(singleQuoted(option.offers.map(fishChoice).joined(separator: " ")))"
          } else if let names = option.completes {
            names == .files ? " -r -F" : " -x \(fishOffer(names).dropFirst(3))"
          } else {
            option.placeholder == nil ? "" : " -x"
          }
        let help = " -d \(singleQuoted(option.help))"
        lines.append("\(start)\(short) -l \(option.name)\(values)\(help)")
        if option.isNegatable { lines.append("\(start) -l no-\(option.name)\(help)") }
      }
    }
    return lines
  }

  private func fishOffer(_ names: CompletedNames) -> String {
    switch names {
    case .files: "-F"
    case .folders: "-f -a '(__fish_complete_directories (commandline -ct))'"
    default: "-f -a '(\(names.takesPaths ? "__rasa_offer" : "__rasa_names") \(names.rawValue))'"
    }
  }

  /// Words of a list of their own inside of single quotes: fish reads `\t` and double quotes in it.
  private func fishChoice(_ choice: Choice) -> String {
    choice.help.isEmpty ? choice.word : "\(choice.word)\\t\"\(choice.help)\""
  }
}
