import Glibc

exit(Entry.main(argumentCount: Int(CommandLine.argc), arguments: CommandLine.unsafeArgv))
