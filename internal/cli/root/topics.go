package root

import "github.com/spf13/cobra"

func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "Variables and files that setops reads", Long: environmentText},
		{Use: "output", Short: "Where results go, and in which form", Long: outputText},
		{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText},
	}
}

const environmentText = `Variables and files that setops reads

A flag is stronger than a variable, a variable than .setops.yml, and that than ~/.setops.yml.

   SETOPS_PROJECT        project, where -p/--project is not given
   SETOPS_STAGE          stage, where -s/--stage is not given
   SETOPS_APP            app, where --app is not given
   SETOPS_URL            address of the server (default http://127.0.0.1:7700)
   SETOPS_ORGANIZATION   organization, in place of that of the session
   SETOPS_TOKEN          token, in place of that of the session
   NO_COLOR, CI,         no colours, and lines in place of a spinner, as where
   TERM=dumb             there is no terminal

.setops.yml in the directory or the nearest parent that has one may set project, stage, app and service. Nothing else
in it counts: a repository that you clone must not choose a server or a token for you.

~/.setops.yml is written by 'setops login', for your eyes only. It may set project, stage and app too. The token in it
is sent only to the server that issued it.`

const outputText = `Where results go, and in which form

Results are on standard output, everything else is on standard error: progress,
hints, warnings, questions, errors. With -q/--quiet only errors are left there.

   -o table   for people; without colours, and with a line for each change
              in place of a spinner, where there is no terminal
   -o wide    with all columns
   -o plain   for scripts that read tables: as without a terminal
   -o json    for programs: one value, log -f one a line

With -o json a command that fails prints one line on standard error, the last
one: {"error": {"message": …, "next": …, "code": …, "exit_code": …}}. The schemas
of what is printed are in docs/schemas; docs/cli.md says what scripts can rely
on.`

const exitCodesText = `What the exit codes mean

     0   it worked
     1   it did not, or the command line was not understood; standard error
         says why
    78   nothing is staged: changeset:commit and changeset:discard without
         --ignore-not-exist
   130   interrupted by Ctrl-C; a commit or a task that was started goes on in
         the server

changeset:commit and changeset:attach end with 1 where the commit failed or was cancelled, where the stage has changed since
the plan of --plan, where its turn did not come in time (--wait-timeout), and where the server could not be reached for 30 s;
they say which command attaches to the commit again. changeset:wait ends with 0 once all is done, or if nothing runs, else
with 1. changeset:cancel ends with 0 once nothing of the commit is live any more, with 1 where it is committed already.

task:run ends with the exit code of the task, 128+n where signal n ended it. With --detach it ends with 0 once the task
is started.

Results are on standard output, everything else is on standard error.`
