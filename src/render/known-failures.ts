/** Failures that CodePipeline, the services behind it and this machine tell of: the first row that fits is taken. */
interface KnownFailure {
  /** Absent: any. */
  readonly code?: string;
  readonly message?: RegExp;
  /** A sentence without markup. */
  readonly cause: string;
  readonly mend: string;
}

const retryLater = 'Retry in some minutes.';
const mendDeclaration = 'Mend the declaration and push: a retry alone would fail in the same way.';
const readLog = 'The end of its log says why. Push a fix, or retry if it failed by chance.';

/** Said by whoever stopped waiting, not by a command whose text is quoted behind it. */
export const timedOut = /^[^:`"]{0,100}\btimed out\b|\btimeout after \d+ minutes|with state: TIMED_OUT/i;

// F- and other ids are those of codepipeline.md, section 11.
export const knownFailures: readonly KnownFailure[] = [
  {
    // F-13
    message: /variables could not be resolved/i,
    cause: 'A variable in its configuration has no value: no action before it made a variable of that name.',
    mend: 'Compare each #{namespace.name} of the action with the namespace and the exported variables of earlier actions.',
  },
  {
    // F-23
    message: timedOut,
    cause: 'It ran longer than it may.',
    mend: 'Retry if it was slow by chance, else raise timeoutInMinutes of the action or of its project.',
  },
  ...sources(),
  ...access(),
  ...inputs(),
  ...services(),
  ...builds(),
  ...codes(),
];

function sources(): readonly KnownFailure[] {
  return [
    {
      // F-1, F-5, F-6
      message: /No Branch \[.*\] found|branch .* does not exist|no branch named/i,
      cause: 'The branch of the source action is not there, or Penstock may not see it.',
      mend: 'Check BranchName and FullRepositoryId (upper and lower case count), and that the App is installed on the repository.',
    },
    {
      // F-2
      message: /Unable to use Connection/i,
      cause: 'The role of the pipeline may not use the connection to GitHub.',
      mend: 'Allow codestar-connections:UseConnection for the role, then retry.',
    },
    {
      // F-3
      message: /connection.*(pending|not available|not AVAILABLE)/i,
      cause: 'The connection to GitHub was made but never confirmed.',
      mend: 'Open it in the AWS console under Connections, press "Update pending connection", then retry.',
    },
    {
      // F-7
      message: /(object|key) .*(does not exist|was not found|not found)|NoSuchVersion/i,
      cause: 'The object that the source action takes is not in its bucket.',
      mend: 'Check S3Bucket and S3ObjectKey, put the object there, then start a new execution.',
    },
  ];
}

function access(): readonly KnownFailure[] {
  return [
    {
      // F-4, F-8
      message: /Upload to S3 failed|S3.*AccessDenied|access the Amazon S3 bucket/i,
      cause: 'The role may not read or write the bucket of the artifacts.',
      mend: 'Allow the role to use the bucket (and its key), then retry.',
    },
    {
      // F-9
      message:
        /not authorized to perform( the)? (sts:)?AssumeRole|(role|assume).*(not assumable|cannot be assumed|could not be assumed)/i,
      cause: 'The role of the pipeline or of the action cannot be taken.',
      mend: 'Let codepipeline.amazonaws.com take it in its trust policy, then retry.',
    },
    {
      // F-18
      message: /not authorized to perform|AccessDenied|ACCESS_DENIED/,
      cause: 'A permission is missing.',
      mend: 'Give the role what the message names, then retry.',
    },
  ];
}

function inputs(): readonly KnownFailure[] {
  return [
    {
      // F-10
      message: /NoSuchKey|input artifact .*(not found|missing)/i,
      cause: 'An input artifact was never written by the action that should make it.',
      mend: 'Look at the output files of the earlier action, then retry its stage with all actions.',
    },
    {
      // F-11
      message:
        /PermanentRedirect|bucket .*(another|different|wrong) region|must be addressed using the specified endpoint/i,
      cause: 'The bucket of the artifacts is in another region than the action.',
      mend: 'Give the region a bucket of its own under artifactStores, then push.',
    },
    {
      // F-12
      message: /(cannot|could not|unable to|failed to) (be )?(un)?zip|not a (valid )?zip|CODEBUILD_CLONE_REF/i,
      cause: 'Its input is no ZIP archive; the output of a source with CODEBUILD_CLONE_REF is only for CodeBuild.',
      mend: 'Give it the output of a build, or set OutputArtifactFormat of the source to CODE_ZIP.',
    },
    {
      // F-21
      message: /Exception while trying to read the .* artifact file/i,
      cause: 'A file of its input is missing, or the input is larger than 3 MB.',
      mend: 'Give it an artifact that holds only the task definition and the appspec, under the names that it is configured with.',
    },
  ];
}

function services(): readonly KnownFailure[] {
  return [
    {
      // F-15
      message: /Lambda function .* does not exist/i,
      cause: 'The Lambda function is not there.',
      mend: `Check FunctionName and the region. ${mendDeclaration}`,
    },
    {
      // F-20
      message: /ECS container .* does not exist/i,
      cause: 'The image definitions name a container that the task definition does not have.',
      mend: 'Use the same container name in both, push, and let it run again.',
    },
    {
      // F-19
      message: /AccountLimitExceeded|Cannot have more than \d+ (active )?builds/i,
      cause: 'The account runs as many builds as it may.',
      mend: `${retryLater} The quota for concurrent builds can be raised in AWS.`,
    },
    {
      // F-27
      message: /Rate exceeded|throttl|TooManyRequests/i,
      cause: 'The service that runs it was asked too often.',
      mend: retryLater,
    },
    {
      // F-36
      message: /service (is )?(temporarily )?unavailable|internal (service |server )?error|InternalFailure/i,
      cause: 'The service that runs it had an incident.',
      mend: retryLater,
    },
  ];
}

function builds(): readonly KnownFailure[] {
  return [
    {
      message: /YAML_FILE_ERROR: the buildspec \S+ (does not exist|is no file)/,
      cause: 'Its buildspec is not there.',
      mend: 'Add the file, or name the right one under projects: in .github/penstock.yml, and push.',
    },
    {
      message: /YAML_FILE_ERROR/,
      cause: 'Its buildspec cannot be used.',
      mend: 'Correct the file at the line that the message names, and push.',
    },
    {
      message: /asks for the (secret|parameter) /,
      cause: 'It asks for a secret that it may not see, so it did not begin.',
      mend: 'Whoever runs this server can allow it; pull requests from forks never get secrets.',
    },
    {
      message: /no matching (artifact|base directory) paths? found/i,
      cause: 'It made none of the files that its artifacts name.',
      mend: 'Compare artifacts: in the buildspec with what the build writes, and push.',
    },
    {
      message: /UPLOAD_ARTIFACTS: The action has (\d+ output artifacts|the output artifact )/,
      cause: 'The pipeline expects an artifact that its buildspec does not name.',
      mend: 'Give the output artifact of the action and the entry under artifacts: one name, and push.',
    },
    {
      message: /exit status 127\.?$/,
      cause: 'One of its commands is not installed on the machine that runs it.',
      mend: 'Install it in the install phase or on the server, or correct its name.',
    },
    {
      message: /exit status 126\.?$/,
      cause: 'One of its commands is a file that may not be executed.',
      mend: 'Make it executable in git (git update-index --chmod=+x), or call it by its interpreter, such as sh.',
    },
    {
      message: /exit status 137\.?$/,
      cause: 'One of its commands was killed, most often because memory ran out.',
      mend: 'Let it use less memory or fewer processes at once, or run it on a larger machine.',
    },
    {
      message: /Build terminated with state: STOPPED/i,
      cause: 'The build was stopped.',
      mend: 'Retry when it should run after all.',
    },
    {
      message: /Build terminated with state: FAULT/i,
      cause: 'The build was ended from outside, by a limit or because its machine failed.',
      mend: 'The message names the limit. Stay below it, or retry if the machine failed.',
    },
    // F-17
    { message: /Build terminated with state: /i, cause: 'The build failed.', mend: readLog },
    // F-14
    {
      message: /required variables haven't been provided/i,
      cause: 'A variable of the pipeline has neither a value nor a default.',
      mend: 'Give it a defaultValue in the declaration, or start the pipeline with a value.',
    },
  ];
}

function codes(): readonly KnownFailure[] {
  return [
    {
      code: 'ActionLost',
      cause: 'The process that ran it is gone, so how far it came is not known.',
      mend: 'Retry if running it twice does no harm; else look first at what it left behind.',
    },
    { code: 'JobFailed', message: /^(The )?command /i, cause: 'One of its commands failed.', mend: readLog },
    {
      code: 'JobFailed',
      cause: 'Its work went wrong.',
      mend: 'The message and the end of its log say why. Push a fix, or retry if it failed by chance.',
    },
    { code: 'ConfigurationError', cause: 'Its configuration cannot be used.', mend: mendDeclaration },
    {
      code: 'PermissionError',
      cause: 'A permission is missing.',
      mend: 'Give the role what the message names, then retry.',
    },
    {
      code: 'RevisionUnavailable',
      cause: 'The revision is not there any more.',
      mend: 'Start a new execution with /rerun or by a push.',
    },
    { code: 'RevisionOutOfSync', cause: 'The revision changed under it.', mend: 'Start a new execution with /rerun.' },
    { code: 'SystemUnavailable', cause: 'The service that runs it was away.', mend: retryLater },
    { code: 'ThrottlingException', cause: 'The service that runs it was asked too often.', mend: retryLater },
    {
      code: 'InternalError',
      cause: 'Something broke outside of your change.',
      mend: `${retryLater} If it comes again, tell whoever runs this server.`,
    },
    {
      code: 'RuleTimedOut',
      cause: 'A rule of a condition gave no answer in time.',
      mend: 'Look at what the rule asks, then retry or override the condition.',
    },
  ];
}
