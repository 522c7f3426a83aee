package api

// What `setops -o json` prints where it is not an answer of the API as it stands. The schemas of docs/schemas are made of
// these types and of those of the API.

// Names of what is listed, or lists of it.
type (
	// UserList is printed by user.
	UserList struct {
		Users []User `json:"users"`
	}
	// ServiceUserList is printed by service-user.
	ServiceUserList struct {
		ServiceUsers []ServiceUser `json:"service_users"`
	}
	// OrganizationList is printed by organization.
	OrganizationList struct {
		Organizations []Organization `json:"organizations"`
	}
	// EventList is printed by audit.
	EventList struct {
		Events []Event `json:"events"`
	}
	// ProjectList is printed by project.
	ProjectList struct {
		Projects []Project `json:"projects"`
	}
	// StageList is printed by stage.
	StageList struct {
		Stages []Stage `json:"stages"`
	}
	// AppList is printed by app.
	AppList struct {
		Apps []AppName `json:"apps"`
	}
	// ReleaseList is printed by release.
	ReleaseList struct {
		Releases []Release `json:"releases"`
	}
	// TaskList is printed by task.
	// ScheduleList is the answer of GET …/apps/{app}/schedules.
	ScheduleList struct {
		Schedules []Schedule `json:"schedules" doc:"By name"`
	}
	TaskList struct {
		Tasks []Task `json:"tasks"`
	}
	// DomainList is printed by domain.
	DomainList struct {
		Domains []Domain `json:"domains"`
	}
	// CommitList is printed by changeset:log.
	CommitList struct {
		Commits []CommitSummary `json:"commits"`
	}
	// LogLines is printed by log, where it does not follow.
	LogLines struct {
		Lines []LogLine `json:"lines"`
	}
)

// EndedCommits is printed by changeset:wait.
type EndedCommits struct {
	Commits []Commit `json:"commits" doc:"In the order of their turns; empty where nothing ran or waited"`
}

// AppEnv is printed by env.
type AppEnv struct {
	Name string   `json:"name" doc:"The app"`
	Env  []EnvVar `json:"env" doc:"Sorted by key"`
}

// DomainOptions is printed by option with a domain.
type DomainOptions struct {
	Primary  bool `json:"primary"`
	StaticIP bool `json:"static_ip"`

	RedirectToPrimary bool `json:"redirect_to_primary"`
}

// Pages of the manual.
type (
	// ManualTopicList is printed by docs without a topic.
	ManualTopicList struct {
		Topics []ManualTopic `json:"topics"`
	}
	// ManualTopic is a page of the manual.
	ManualTopic struct {
		Name  string `json:"name" doc:"What setops docs takes"`
		About string `json:"about"`
	}
	// ManualPage is printed by docs with a topic.
	ManualPage struct {
		ManualTopic
		Text string `json:"text" doc:"Markdown"`
	}
)

// Destroyed is printed by commands that destroy at once.
type Destroyed struct {
	Name string `json:"name" doc:"What is gone"`
}

// StoppedTask is printed by task:stop: the task was told to stop.
type StoppedTask struct {
	ID string `json:"id" doc:"As it was given"`
}

// SignedOut is printed by logout.
type SignedOut struct {
	Server string `json:"server,omitempty" doc:"Where the session was; absent where there was none"`
	Ended  bool   `json:"ended" doc:"Whether the server has ended it; if not, it holds until it expires"`
}

// RegistryLogin is printed by registry:login: the line that signs Docker in, and its parts.
type RegistryLogin struct {
	Server   string `json:"server"`
	Username string `json:"username"`
	Password string `json:"password" doc:"The token of the session"`
	Command  string `json:"command"`
}

// CLIVersion is printed by version.
type CLIVersion struct {
	Version string `json:"version"`
	Server  string `json:"server_version,omitempty" doc:"With --server"`
	API     string `json:"api_version,omitempty" doc:"With --server: the version of the server's API"`
}
