import { c, s3, say, T, src, gate, cmd, P, sleep, until, stage } from './probe.mjs';
const mk = async (name, stages, more) => { await c.createPipeline({pipeline:P(name,stages,more)}); await sleep(1500); const l=(await c.listPipelineExecutions({pipelineName:name})).pipelineExecutionSummaries; return l[0].pipelineExecutionId; };
const tok = async (name, st, i=0) => (await stage(name, st)).actionStates[i].latestExecution?.token;
const ans = (name, st, a, token, status='Approved', summary='') => c.putApprovalResult({pipelineName:name,stageName:st,actionName:a,token,result:{status,summary}});
const waitTok = async (n,s,i=0) => { for (let k=0;k<100;k++){ const t=await tok(n,s,i); if(t) return t; await sleep(100);} return 'none'; };
//
const e1 = await mk('a1', { G:[gate('One'), gate('Two')] });
const t1 = await waitTok('a1','G',0), t2 = await waitTok('a1','G',1);
const acts = (await c.listActionExecutions({pipelineName:'a1'})).actionExecutionDetails;
console.log('A-1 token=actionExecutionId', acts.some(a=>a.actionExecutionId===t1), 'external', acts.find(a=>a.actionName==='One').output?.executionResult?.externalExecutionId===t1, 'A-9 differ', t1!==t2);
await say('A-6 non-uuid', ans('a1','G','One','abc'));
await say('A-6 long', ans('a1','G','One',t1,'Approved','x'.repeat(513)));
await say('A-6 wrong pipeline', ans('zz','G','One',t1));
await say('A-6 wrong stage', ans('a1','H','One',t1));
await say('A-6 wrong action', ans('a1','G','Three',t1));
await say('A-6 others token', ans('a1','G','One',t2));
await say('A-6 unknown token', ans('a1','G','One','00000000-0000-4000-8000-000000000000'));
await say('A-2 approve', ans('a1','G','One',t1,'Approved','good'));
await say('A-6 twice', ans('a1','G','One',t1));
console.log('A-3', JSON.stringify((await stage('a1','G')).actionStates[0]));
//
await say('A-8 stop wait', c.stopPipelineExecution({pipelineName:'a1',pipelineExecutionId:e1}));
console.log('A-8', (await stage('a1','G')).latestExecution.status);
await say('A-8 approve', ans('a1','G','Two',t2));
await sleep(500);
console.log('A-8 after', (await stage('a1','G')).latestExecution.status, JSON.stringify((await stage('a1','G')).actionStates[1].latestExecution));
// 
const ex = (await c.listPipelineExecutions({pipelineName:'a1'})).pipelineExecutionSummaries[0];
console.log('X-3', JSON.stringify(ex.trigger), JSON.stringify(ex.stopTrigger));
// retry stopped
await say('X-48 retry', c.retryStageExecution({pipelineName:'a1',stageName:'G',pipelineExecutionId:e1,retryMode:'ALL_ACTIONS'}));
await sleep(500);
const n1 = await waitTok('a1','G',0);
console.log('X-48 new token', n1!==t1, JSON.stringify((await stage('a1','G')).retryStageMetadata), (await c.listActionExecutions({pipelineName:'a1'})).actionExecutionDetails.length);
await say('X-42 retry again', c.retryStageExecution({pipelineName:'a1',stageName:'G',pipelineExecutionId:e1,retryMode:'ALL_ACTIONS'}));
// X-32,36
await say('X-32 abandon', c.stopPipelineExecution({pipelineName:'a1',pipelineExecutionId:e1,abandon:true,reason:'no'}));
await sleep(300);
console.log('X-32', JSON.stringify((await stage('a1','G')).actionStates[0].latestExecution), (await stage('a1','G')).latestExecution.status);
await say('X-36 late', ans('a1','G','One',n1));
// X-41 after update
await c.updatePipeline({pipeline:P('a1',{G:[gate('One'), gate('Two')]})});
await say('X-41', c.retryStageExecution({pipelineName:'a1',stageName:'G',pipelineExecutionId:e1,retryMode:'ALL_ACTIONS'}));
//
const x1 = await mk('x17', { G:[gate()] });
await waitTok('x17','G');
const ids=[]; for (let i=0;i<3;i++){ ids.push((await c.startPipelineExecution({name:'x17'})).pipelineExecutionId); await sleep(1500);} 
console.log('X-17', (await c.listPipelineExecutions({pipelineName:'x17'})).pipelineExecutionSummaries.map(s=>s.status), JSON.stringify((await stage('x17','G')).inboundExecutions));
await say('X-13 stop superseded', c.stopPipelineExecution({pipelineName:'x17',pipelineExecutionId:ids[0]}));
await say('X-45 retry superseded', c.retryStageExecution({pipelineName:'x17',stageName:'G',pipelineExecutionId:ids[0],retryMode:'ALL_ACTIONS'}));
await say('reject', ans('x17','G','Ok',await tok('x17','G'),'Rejected','no'));
await sleep(500);
console.log('X-17 D enters', (await stage('x17','G')).latestExecution.pipelineExecutionId===ids[2]);
await say('X-40', c.retryStageExecution({pipelineName:'x17',stageName:'G',pipelineExecutionId:x1,retryMode:'ALL_ACTIONS'}));
// X-24, 29, 26
console.log('X-24', JSON.stringify((await stage('x17','Source')).inboundTransitionState));
await say('X-29 comma', c.disableStageTransition({pipelineName:'x17',stageName:'G',transitionType:'Inbound',reason:'a, b'}));
await say('X-29 stage', c.disableStageTransition({pipelineName:'x17',stageName:'Q',transitionType:'Inbound',reason:'a'}));
await say('X-29 pipeline', c.enableStageTransition({pipelineName:'x99',stageName:'Q',transitionType:'Inbound'}));
await say('X-26 outbound', c.disableStageTransition({pipelineName:'x17',stageName:'Source',transitionType:'Outbound',reason:'hold (it)?'}));
const o = (await c.startPipelineExecution({name:'x17'})).pipelineExecutionId; await sleep(1500);
console.log('X-26', (await stage('x17','Source')).latestExecution.status, JSON.stringify((await stage('x17','G')).inboundExecutions), (await c.getPipelineExecution({pipelineName:'x17',pipelineExecutionId:o})).pipelineExecution.status);
await say('approve', ans('x17','G','Ok',await tok('x17','G'))); await sleep(400);
console.log('X-26 still waits', (await stage('x17','G')).latestExecution.pipelineExecutionId!==o);
await say('en', c.enableStageTransition({pipelineName:'x17',stageName:'Source',transitionType:'Outbound'})); await sleep(400);
console.log('X-25', (await stage('x17','G')).latestExecution.pipelineExecutionId===o);
//
await say('X-53 nonuuid', c.rollbackStage({pipelineName:'x17',stageName:'G',targetPipelineExecutionId:'x'}));
await say('X-53 running', c.rollbackStage({pipelineName:'x17',stageName:'G',targetPipelineExecutionId:ids[2]}));
await say('X-53 unknown', c.rollbackStage({pipelineName:'x17',stageName:'G',targetPipelineExecutionId:'00000000-0000-4000-8000-000000000000'}));
await say('X-54 source', c.rollbackStage({pipelineName:'x17',stageName:'Source',targetPipelineExecutionId:ids[2]}));
await ans('x17','G','Ok',await tok('x17','G')); await sleep(400);
const rb = await say('X-51', c.rollbackStage({pipelineName:'x17',stageName:'G',targetPipelineExecutionId:ids[2]})); await sleep(500);
console.log('X-51', JSON.stringify((await c.getPipelineExecution({pipelineName:'x17',pipelineExecutionId:rb.pipelineExecutionId})).pipelineExecution));
console.log('X-52', JSON.stringify((await stage('x17','G')).latestExecution), JSON.stringify((await stage('x17','Source')).latestExecution));
console.log('X-66', (await stage('x17','Source')).latestExecution.pipelineExecutionId===o);
//
await c.updatePipeline({pipeline:P('x17',{G:[gate()]})}); await sleep(300);
console.log('X-61', (await c.listPipelineExecutions({pipelineName:'x17'})).pipelineExecutionSummaries.map(s=>s.status));
//
console.log('X-56', (await c.listPipelineExecutions({pipelineName:'x17',filter:{succeededInStage:{stageName:'G'}}})).pipelineExecutionSummaries.length);
//
const all=(await c.listActionExecutions({pipelineName:'a1',filter:{pipelineExecutionId:e1}})).actionExecutionDetails.map(a=>a.actionName+a.status);
const latest=(await c.listActionExecutions({pipelineName:'a1',filter:{latestInPipelineExecution:{pipelineExecutionId:e1,startTimeRange:'Latest'}}})).actionExecutionDetails.map(a=>a.actionName+a.status);
const allr=(await c.listActionExecutions({pipelineName:'a1',filter:{latestInPipelineExecution:{pipelineExecutionId:e1,startTimeRange:'All'}}})).actionExecutionDetails.length;
console.log('X-70', all.join(), '|', latest.join(), '|', allr);
await say('X-70 unknown', c.listActionExecutions({pipelineName:'a1',filter:{pipelineExecutionId:'00000000-0000-4000-8000-000000000000'}}));
// D-26 + V-1 + X-19
const d = await mk('d26', { Make:[cmd('Make',['echo x'],{outputArtifacts:[{name:'Out',files:['nothing.txt']}],namespace:'M',outputVariables:['V1'], commands:['export V1=a.b','echo hi > other.txt']})], Use:[cmd('Use',['ls','echo "#{M.V1}-#{M.V1} #{codepipeline.PipelineExecutionId}"'],{inputArtifacts:[{name:'Out'}]})] });
await until('d26', d, s=>s!=='InProgress');
for (const a of (await c.listActionExecutions({pipelineName:'d26'})).actionExecutionDetails) console.log('D-26', a.actionName, a.status, JSON.stringify(a.output), JSON.stringify(a.input.resolvedConfiguration));
