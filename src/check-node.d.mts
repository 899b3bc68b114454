export declare const neededNode: string;
export declare function runsTypeScript(version: string): boolean;
export declare function whatToDo(version: string): string;
