import CLinux
import Glibc

guard let arguments = linux_arguments() else { exit(ExitStatus.failure) }
exit(Entry.main(argumentCount: Int(linux_argument_count()), arguments: arguments))
