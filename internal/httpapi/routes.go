package httpapi

import (
	"context"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/pkg/api"
)

// useOurErrors sets huma's one way to make errors, which is a variable of its package.
var useOurErrors = sync.OnceFunc(func() { huma.NewError = newError })

const (
	projects = organization + "/projects"
	stages   = projects + "/{project}/stages"
	stage    = stages + "/{stage}"
	apps     = stage + "/apps"
	oneApp   = apps + "/{app}"
)

// routes is the whole surface of the API.
func (s *Server) routes(h huma.API) {
	useOurErrors()

	open(s, h, post(api.SessionsPath, "sign-in", "Sign in", http.StatusCreated), s.signIn)
	add(s, h, get(api.SessionsPath, "show-session", "Show who is signed in"), s.showSession)
	add(s, h, remove(api.SessionsPath, "sign-out", "End the session, and make its tokens worthless"), s.signOut)
	s.oauthRoutes(h)

	add(s, h, get(api.AccountSessionsPath, "list-sessions", "List one's sessions"), s.listSessions)
	change(s, h, remove(api.AccountSessionsPath+"/{id}", "end-session", "End one of one's sessions"), afterwards(s, s.end))
	add(s, h, get(api.AccountTokensPath, "list-tokens", "List one's API tokens"), s.listTokens)
	add(s, h, post(api.AccountTokensPath, "create-token", "Make an API token; its answer alone has it", http.StatusCreated), s.createToken)
	change(s, h, remove(api.AccountTokensPath+"/{id}", "destroy-token", "Destroy one of one's API tokens"), afterwards(s, s.end))

	open(s, h, get(api.VersionPath, "show-version", "Show the versions of the server and its API"), s.showVersion)

	s.peopleRoutes(h)

	add(s, h, get(projects, "list-projects", "List the projects one may see"), s.listProjects)
	change(s, h, post(projects, "create-project", "Create a project", http.StatusCreated), afterwards(s, s.createProject))
	add(s, h, get(projects+"/{project}", "show-project", "Show a project"), s.showProject)
	change(s, h, remove(projects+"/{project}", "destroy-project", "Destroy a project with all its stages"), afterwards(s, s.destroyProject))

	add(s, h, get(stages, "list-stages", "List the stages one may see"), s.listStages)
	change(s, h, post(stages, "create-stage", "Create a stage", http.StatusCreated), afterwards(s, s.createStage))
	add(s, h, get(stage, "show-stage", "Show a stage"), s.showStage)
	change(s, h, remove(stage, "destroy-stage", "Destroy a stage with all that is on it"), afterwards(s, s.destroyStage))

	add(s, h, get(apps, "list-apps", "List the committed apps"), s.listApps)
	add(s, h, get(oneApp, "show-app", "Show an app with its environment and its status"), s.showApp)
	add(s, h, get(oneApp+"/status", "show-app-status", "Show what runs of an app"), s.showStatus)
	add(s, h, get(oneApp+"/releases", "list-releases", "List the releases of an app"), s.listReleases)
	add(s, h, get(oneApp+"/deploy", "show-deploy-target", "Show what images of an app must be for, and what is active"), s.showDeployTarget)
	change(s, h, post(oneApp+"/deploy", "deploy-image", "Make a release of an image active, as a commit of its own", http.StatusAccepted), afterwards(s, s.deploy))
	add(s, h, get(oneApp+"/domains", "list-domains", "List the domains of an app with what to publish in DNS"), s.listDomains)

	add(s, h, get(stage+"/changeset", "show-changeset", "Show what one has staged"), s.showChangeset)
	change(s, h, remove(stage+"/changeset", "discard-changeset", "Drop what one has staged", http.StatusOK), s.discardChangeset)
	change(s, h, large(post(stage+"/changeset/commands", "stage-commands", "Stage commands, all or none", http.StatusOK)), s.stageCommands)

	change(s, h, remove(stage+"/changeset/commands/{number}", "remove-command", "Drop one staged command", http.StatusOK), s.removeCommand)
	add(s, h, get(stage+"/changeset/diff", "show-diff", "Show what is staged as values, old and new"), s.showDiff)
	add(s, h, get(stage+"/changeset/plan", "show-plan", "Show the steps that a commit would run, and their hash"), s.showPlan)

	add(s, h, get(stage+"/definition", "show-definition", "Show the committed state of a stage as a file"), s.showDefinition)
	change(s, h, large(post(stage+"/definition", "apply-definition", "Stage what makes a stage be what a file says", http.StatusOK)), s.applyDefinition)

	add(s, h, get(stage+"/commits", "list-commits", "List the commits of a stage, newest first"), s.listCommits)
	change(s, h, post(stage+"/commits", "commit-changeset", "Commit what one has staged, behind the stage's other commits", http.StatusAccepted), afterwards(s, s.startCommit))
	add(s, h, get(stage+"/commits/{id}", "show-commit", "Show a commit"), s.showCommit)
	add(s, h, get(stage+"/commits/{id}/details", "show-commit-details", "Show all that is known of a commit"), s.showCommitDetails)
	change(s, h, post(stage+"/commits/{id}/cancel", "cancel-commit", "End a commit before its commit point", http.StatusOK), afterwards(s, s.cancelCommit))
	change(s, h, post(stage+"/commits/{id}/revert", "revert-commit", "Stage what takes a commit back", http.StatusOK), s.revertCommit)
	add(s, h, stream(stage+"/commits/{id}/events", "watch-commit", "Follow a commit: events 'progress'"), s.watchCommit)

	add(s, h, get(oneApp+"/tasks", "list-tasks", "List the tasks of an app"), s.listTasks)
	change(s, h, post(oneApp+"/tasks", "run-task", "Run a one-off task", http.StatusCreated), afterwards(s, s.runTask))
	add(s, h, get(oneApp+"/tasks/{id}", "show-task", "Show a task"), s.showTask)
	change(s, h, remove(oneApp+"/tasks/{id}", "stop-task", "Stop a task"), afterwards(s, s.stopTask))
	add(s, h, upgrade(oneApp+"/tasks/{id}/attach", "attach-task", "Run a program inside a task, over a WebSocket"), s.attachTask)
	add(s, h, get(oneApp+"/schedules", "list-schedules", "List the schedules of an app with their next and last runs"), s.listSchedules)
	add(s, h, get(oneApp+"/log", "read-log", "Read the log of an app"), s.readLog)
	add(s, h, stream(oneApp+"/log/events", "follow-log", "Follow the log of an app: events 'line', 'gap' where lines were deleted before they were sent, 'past' once what was there is sent, and, for one task, 'end'"), s.followLog)
}

// add registers a handler whose errors are translated.
func add[I, O any](s *Server, h huma.API, op huma.Operation, f func(context.Context, *I) (*O, error)) {
	huma.Register(h, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, s.translate(ctx, err)
		}
		return out, nil
	})
}

// open registers a handler that needs no token.
func open[I, O any](s *Server, h huma.API, op huma.Operation, f func(context.Context, *I) (*O, error)) {
	op.Security = []map[string][]string{}
	add(s, h, op, f)
}

func get(path, id, summary string) huma.Operation {
	return huma.Operation{Method: http.MethodGet, Path: path, OperationID: id, Summary: summary, DefaultStatus: http.StatusOK}
}

func post(path, id, summary string, status int) huma.Operation {
	return huma.Operation{Method: http.MethodPost, Path: path, OperationID: id, Summary: summary, DefaultStatus: status}
}

func remove(path, id, summary string, status ...int) huma.Operation {
	op := huma.Operation{Method: http.MethodDelete, Path: path, OperationID: id, Summary: summary, DefaultStatus: http.StatusNoContent}
	if len(status) > 0 {
		op.DefaultStatus = status[0]
	}
	return op
}

// stream is an operation that answers with server-sent events.
func stream(path, id, summary string) huma.Operation {
	op := get(path, id, summary)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Server-sent events; the data of each is JSON",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	return op
}

// upgrade is an operation that becomes a WebSocket.
func upgrade(path, id, summary string) huma.Operation {
	op := get(path, id, summary)
	op.Description = "The first message is a text, AttachTask; all others are binary, a byte for the kind and its content: 0 input, 1 end of the " +
		"input, 2 TerminalSize; from the server 3 output, 4 errors, 5 AttachEnd. The subprotocol is " + api.AttachProtocol + "."
	op.Responses = map[string]*huma.Response{"101": {Description: "A WebSocket"}}
	return op
}

// largeBody is the limit for a list of commands: a thousand of them with long values.
const largeBody = 32 << 20

func large(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = largeBody
	return op
}

// answer is a body in the form that huma takes.
type answer[T any] struct{ Body T }

func answered[T any](body T) *answer[T] { return &answer[T]{Body: body} }
