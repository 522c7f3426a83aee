package api

import "net/url"

// The paths of the API. Every argument is escaped.

// SessionsPath signs in by POST, shows the session by GET and ends it by DELETE.
const SessionsPath = "/v1/sessions"

// SwitchPath changes to another organization by POST: the session ends, and the answer has a new one.
const SwitchPath = "/v1/sessions/organization"

// AcceptInvitationPath accepts an invitation by POST, without a session.
const AcceptInvitationPath = "/v1/invitations/accept"

// InvitationsPath is where a browser accepts invitations; the token follows.
const InvitationsPath = "/invitations/"

// The OAuth 2.0 endpoints, which take forms: DevicePath begins a sign-in of a program by a person (RFC 8628), OAuthTokenPath
// trades what was got there, or a refresh token, for tokens.
const (
	DevicePath     = "/v1/oauth/device"
	OAuthTokenPath = "/v1/oauth/token"
)

// AccountSessionsPath lists by GET; AccountTokensPath lists by GET and creates by POST.
const (
	AccountSessionsPath = "/v1/account/sessions"
	AccountTokensPath   = "/v1/account/tokens"
)

// AccountSessionPath ends a session by DELETE.
func AccountSessionPath(id string) string { return AccountSessionsPath + "/" + url.PathEscape(id) }

// AccountTokenPath destroys an API token by DELETE.
func AccountTokenPath(id string) string { return AccountTokensPath + "/" + url.PathEscape(id) }

// The pages for people, on the server's own address.
const (
	DevicePage = "/device"
	LogoutPage = "/logout"
)

// OpenAPIPath is the OpenAPI 3.1 document.
const OpenAPIPath = "/openapi.json"

// DocsPath is a page that shows the document to people; it needs no other host.
const DocsPath = "/docs"

// OrganizationsPath lists by GET.
const OrganizationsPath = "/v1/organizations"

// OrganizationPath is what is of an organization below it:
//
//	/projects                       see ProjectsPath
//	/service-users                  GET
//	/service-users/{name}           DELETE
//	/service-users/{name}/password  POST (makes a new one)
//	/audit                          GET
func OrganizationPath(organization string) string {
	return OrganizationsPath + "/" + url.PathEscape(organization)
}

// ProjectsPath lists by GET and creates by POST.
func ProjectsPath(organization string) string {
	return OrganizationPath(organization) + "/projects"
}

// ProjectPath shows by GET and destroys by DELETE. Besides its stages there are below it, as below each of them:
//
//	/users                          GET, POST
//	/users/{email}                  DELETE
//	/service-users                  POST
//	/audit                          GET
func ProjectPath(organization, project string) string {
	return ProjectsPath(organization) + "/" + url.PathEscape(project)
}

// StagesPath lists by GET and creates by POST.
func StagesPath(organization, project string) string {
	return ProjectPath(organization, project) + "/stages"
}

// StagePath shows by GET and destroys by DELETE. Everything of a stage is below it:
//
//	/changeset                      GET, DELETE
//	/changeset/commands             POST
//	/changeset/commands/{number}    DELETE
//	/changeset/diff                 GET
//	/changeset/plan                 GET
//	/commits                        GET, POST
//	/commits/{id}                   GET
//	/commits/{id}/details           GET
//	/commits/{id}/events            GET (server-sent events 'progress')
//	/commits/{id}/cancel            POST
//	/commits/{id}/revert            POST
//	/apps                           GET
//	/apps/{app}                     GET
//	/apps/{app}/status              GET
//	/apps/{app}/releases            GET
//	/apps/{app}/deploy              GET, POST
//	/apps/{app}/domains             GET
//	/apps/{app}/tasks               GET, POST
//	/apps/{app}/tasks/{id}          GET, DELETE (stops it)
//	/apps/{app}/tasks/{id}/attach   GET (a WebSocket)
//	/apps/{app}/schedules           GET
//	/apps/{app}/log                 GET
//	/apps/{app}/log/events          GET (server-sent events 'line' and 'end')
func StagePath(organization, project, stage string) string {
	return StagesPath(organization, project) + "/" + url.PathEscape(stage)
}
