package api

// Problems is what `setops -o json` prints on standard error when a command fails: one line, the last one.
type Problems struct {
	Error Problem `json:"error"`
}

// Problem is one error of the command line. Type, Code, Temporary, RequestID and ValidationErrors are those of the API's
// answer, where there was one.
type Problem struct {
	Message          string              `json:"message" doc:"What happened and why, for people"`
	Next             string              `json:"next,omitempty" doc:"What to type next, for people"`
	ExitCode         int                 `json:"exit_code" doc:"That of the program"`
	Type             string              `json:"type,omitempty" enum:"Fault,AuthenticationError,ValidationError,StateError"`
	Code             string              `json:"code,omitempty" doc:"Compare it without a leading 'Code'"`
	Temporary        bool                `json:"temporary,omitempty" doc:"The same may succeed later"`
	RequestID        string              `json:"request_id,omitempty" doc:"Names the request in the server's log"`
	ValidationErrors map[string][]string `json:"validation_errors,omitempty" doc:"The validators that each field breaks"`
}
